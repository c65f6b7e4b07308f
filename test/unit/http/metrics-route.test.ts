/** What Prometheus is told: in its format, by its conventions, and true. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { METRIC_FAMILIES } from "../../../src/http/metric-families.ts";
import { type AdminFixture, startAdminApp } from "../../support/admin-app.ts";
import { type Family, parsePrometheus } from "../../support/prometheus-text.ts";

const root = join(import.meta.dirname, "../../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

async function scrape({ app }: AdminFixture): Promise<Map<string, Family>> {
  const answer = await app.inject("/metrics");
  expect(answer.statusCode, answer.body).toBe(200);
  expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  return parsePrometheus(answer.body);
}

const told = (
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined =>
  families
    .get(name)
    ?.series.find((one) => Object.entries(labels).every(([key, of]) => one.labels[key] === of))
    ?.value;

test("the text is as Prometheus has it, and its names keep to the conventions", async () => {
  const fixture = await startAdminApp();
  for (let i = 0; i < 100; i++) await fixture.database.put(`key${i}`, "value");
  fixture.telemetry.record("tcp", "put", 0.5, false);
  const families = await scrape(fixture);
  expect(families.size).toBe(METRIC_FAMILIES.length + 1);
  for (const { name, type, help, series } of families.values()) {
    expect(name).toMatch(/^(varve|process)_[a-z0-9_]+$/);
    expect(name.endsWith("_total"), name).toBe(type === "counter");
    expect(name).not.toMatch(/_(ms|milliseconds|us|kb|mb|percent)(_|$)/);
    expect(help).toMatch(/\.$/);
    for (const { labels } of series) {
      for (const label of Object.keys(labels)) expect(label).toMatch(/^[a-z_]+$/);
    }
  }
});

test("counts are those of the engine and of the doors at the moment of the scrape", async () => {
  const fixture = await startAdminApp({
    tcp: () => ({ connections: 5, bytesIn: 70, bytesOut: 90 }),
  });
  const { database, telemetry } = fixture;
  for (let i = 0; i < 300; i++) await database.put(`key${i}`, "value".repeat(10));
  await database.flush();
  await database.get("key1");
  telemetry.record("http", "get", 3, true);
  telemetry.skip("tcp", "get", 41);
  const families = await scrape(fixture);
  const { bytesWritten, levels, writes, background, filter } = database.stats();
  expect(told(families, "varve_user_bytes_total")).toBe(bytesWritten.user);
  expect(told(families, "varve_written_bytes_total", { part: "flush" })).toBe(bytesWritten.flush);
  for (const { level, files, bytes, entries } of levels) {
    expect(told(families, "varve_level_tables", { level: `${level}` })).toBe(files);
    expect(told(families, "varve_level_bytes", { level: `${level}` })).toBe(bytes);
    expect(told(families, "varve_level_entries", { level: `${level}` })).toBe(entries);
  }
  expect(told(families, "varve_log_syncs_total")).toBe(writes.syncs);
  expect(told(families, "varve_flushes_total")).toBe(background.flushes);
  expect(told(families, "varve_filter_checks_total")).toBe(filter.checks);
  expect(told(families, "varve_operations_total", { door: "tcp", operation: "get" })).toBe(41);
  expect(told(families, "varve_operations_total", { door: "http", operation: "get" })).toBe(1);
  const errors = { door: "http", operation: "get" };
  expect(told(families, "varve_operation_errors_total", errors)).toBe(1);
  expect(told(families, "varve_connections", { door: "tcp" })).toBe(5);
  expect(told(families, "varve_sent_bytes_total", { door: "tcp" })).toBe(90);
  expect(told(families, "varve_sent_bytes_total", { door: "http" })).toBe(0);
  expect(told(families, "varve_build_info", { version: "1.2.3" })).toBe(1);
});

test("counters never go back from one scrape to the next", async () => {
  const fixture = await startAdminApp();
  const before = await scrape(fixture);
  for (let i = 0; i < 200; i++) await fixture.database.put(`key${i}`, "value");
  fixture.telemetry.record("tcp", "put", 1, false);
  const after = await scrape(fixture);
  for (const { name, type, series } of before.values()) {
    if (type !== "counter") continue;
    for (const { labels, value } of series) {
      expect(told(after, name, labels), name).toBeGreaterThanOrEqual(value);
    }
  }
});

test("latencies are a histogram by door and operation, with what did happen and nothing else", async () => {
  const fixture = await startAdminApp();
  for (const ms of [0.001, 0.5, 0.5, 3, 1500]) fixture.telemetry.record("tcp", "put", ms, false);
  fixture.telemetry.record("http", "scan", 2, false, undefined, 16);
  const { series } = (await scrape(fixture)).get("varve_operation_duration_seconds")!;
  const groups = new Set(series.map(({ labels }) => `${labels.door} ${labels.operation}`));
  expect([...groups]).toEqual(["tcp put", "http scan"]);
  const of = (name: string, labels: Record<string, string>) =>
    series.find(
      (one) =>
        one.name === `varve_operation_duration_seconds${name}` &&
        Object.entries(labels).every(([key, value]) => one.labels[key] === value),
    )!.value;
  const put = { door: "tcp", operation: "put" };
  const upTo = (seconds: number) => of("_bucket", { ...put, le: `${seconds}` });
  expect(upTo(2 / 1e6)).toBe(1);
  expect(upTo(512 / 1e6)).toBe(3);
  expect(upTo(4096 / 1e6)).toBe(4);
  expect(of("_bucket", { ...put, le: "+Inf" })).toBe(5);
  expect(of("_count", put)).toBe(5);
  expect(of("_sum", put)).toBeCloseTo(1.504001, 6);
  expect(of("_count", { door: "http" })).toBe(16);
});

test("what is wrong is told by a 1", async () => {
  const fixture = await startAdminApp();
  const names = ["varve_log_failed", "varve_background_failed", "varve_free_space_low"] as const;
  const sound = await scrape(fixture);
  for (const name of names) expect(told(sound, name), name).toBe(0);
  const stats = fixture.database.stats();
  const failing = {
    ...stats,
    log: { failure: "it broke" },
    space: { ...stats.space, isLow: true },
    background: { ...stats.background, failure: "it broke, too" },
  };
  const store = { stats: () => failing, layout: () => fixture.database.layout() };
  const broken = await startAdminApp({}, {}, { store, isReadOnly: true });
  const families = await scrape(broken);
  for (const name of names) expect(told(families, name), name).toBe(1);
  expect(told(families, "varve_read_only")).toBe(1);
});

test("two servers in one process tell each of itself", async () => {
  const [one, other] = [await startAdminApp(), await startAdminApp()];
  one.telemetry.record("tcp", "put", 1, false);
  const name = "varve_operations_total";
  const labels = { door: "tcp", operation: "put" };
  expect(told(await scrape(one), name, labels)).toBe(1);
  expect(told(await scrape(other), name, labels)).toBe(0);
});

test("the guide for operators explains every metric, and none that is not there", async () => {
  const families = await scrape(await startAdminApp());
  const named = new Set(read("ops/README.md").match(/`(varve|process)_[a-z0-9_]+`/g));
  expect([...named].sort()).toEqual([...families.keys()].map((name) => `\`${name}\``).sort());
});

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly datasource?: { readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
}

const dashboard = JSON.parse(read("ops/grafana/varve-dashboard.json")) as {
  readonly uid: string;
  readonly title: string;
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string }[];
  };
  readonly panels: readonly Panel[];
};

test("every metric that the Grafana dashboard asks for is exported, with the labels that it names", async () => {
  const fixture = await startAdminApp();
  fixture.telemetry.record("tcp", "put", 1, false);
  const families = await scrape(fixture);
  const series = new Map<string, Set<string>>();
  for (const family of families.values()) {
    for (const { name, labels } of family.series) {
      series.set(name, new Set([...(series.get(name) ?? []), ...Object.keys(labels)]));
    }
  }
  const exprs = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(exprs.length).toBeGreaterThan(20);
  for (const expr of exprs) {
    const names = expr.match(/\b(varve|process)_[a-z0-9_]+/g) ?? [];
    expect(names.length, expr).toBeGreaterThan(0);
    for (const name of names) expect(series.has(name), `${name} of ${expr}`).toBe(true);
    for (const [, list = ""] of expr.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of list.split(/, */)) {
        const known = names.some((name) => series.get(name)?.has(label));
        expect(known, `${label} of ${expr}`).toBe(true);
      }
    }
  }
});

test("each panel of the dashboard has a unit, legends, the datasource variable and a place of its own", () => {
  expect(dashboard.templating.list).toContainEqual(
    expect.objectContaining({ name: "datasource", type: "datasource" }),
  );
  const taken = new Set<string>();
  for (const { title, type, datasource, fieldConfig, targets = [], gridPos } of dashboard.panels) {
    expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(taken.has(`${x} ${y}`), `${title} lies on another panel`).toBe(false);
        taken.add(`${x} ${y}`);
      }
    }
    if (type === "row") continue;
    expect(datasource?.uid, title).toBe("$" + "{datasource}");
    expect(fieldConfig?.defaults.unit, title).toBeTruthy();
    expect(targets.length, title).toBeGreaterThan(0);
    for (const { legendFormat } of targets) expect(legendFormat, title).toBeTruthy();
  }
});
