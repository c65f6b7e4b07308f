/** Sampling: a second a sample, ten minutes of them, and rates that are true. */
import { expect, onTestFinished, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import type { DatabaseStats } from "../../../src/engine/stats.ts";
import { SlowOperations } from "../../../src/telemetry/slow-operations.ts";
import { Telemetry, type TelemetrySources } from "../../../src/telemetry/telemetry.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

async function startTelemetry(sources: Partial<TelemetrySources> = {}) {
  const options = { fs: new MemoryFileSystem(), background: "inline" as const };
  const database = await Database.open("/db", { ...TINY_SETTINGS, ...options });
  const clock = new ManualClock();
  const telemetry = new Telemetry({
    store: () => database.stats(),
    tcp: () => ({}),
    http: () => ({}),
    clock,
    ...sources,
  });
  telemetry.start();
  onTestFinished(async () => {
    telemetry.stop();
    await database.close();
  });
  return { telemetry, clock, database };
}

test("there is a sample for each second, and of ten minutes at most", async () => {
  const { telemetry, clock } = await startTelemetry();
  clock.advance(3000);
  expect(telemetry.samples()).toHaveLength(3);
  clock.advance(700_000);
  const samples = telemetry.samples();
  expect(samples).toHaveLength(600);
  expect(samples.at(-1)!.time).toBe(clock.now());
  for (const [i, { time }] of samples.entries()) {
    if (i > 0) expect(time - samples[i - 1]!.time).toBe(1000);
  }
  expect(telemetry.samples(clock.now() - 5000)).toHaveLength(5);
  expect(telemetry.samples(clock.now())).toEqual([]);
});

test("after a stop there are no more samples, and the process is not held", async () => {
  const { telemetry, clock } = await startTelemetry();
  clock.advance(1000);
  telemetry.stop();
  clock.advance(5000);
  expect(telemetry.samples()).toHaveLength(1);
});

test("a database that was closed ends the sampling, and nothing else", async () => {
  const { telemetry, clock, database } = await startTelemetry();
  clock.advance(1000);
  await database.close();
  clock.advance(5000);
  expect(telemetry.samples()).toHaveLength(1);
});

test("traffic is that of both doors, per second", async () => {
  let bytes = 0;
  const { telemetry, clock } = await startTelemetry({
    tcp: () => ({ connections: 2, bytesIn: bytes, bytesOut: 3 * bytes }),
    http: () => ({ connections: 4, bytesIn: bytes }),
  });
  bytes = 500;
  clock.advance(1000);
  expect(telemetry.samples()).toMatchObject([
    { bytes_in: 1000, bytes_out: 1500, connections: { tcp: 2, http: 4 } },
  ]);
});

test("amplification and hit rates tell of what was written and asked, and null of what was not", async () => {
  const { telemetry, clock, database } = await startTelemetry();
  const before = database.stats();
  for (let i = 0; i < 300; i++) await database.put(`key ${i}`, `value ${i}`.padEnd(50, "."));
  await database.flush();
  for (let i = 0; i < 300; i++) await database.get(`key ${i}`);
  clock.advance(1000);
  const [busy] = telemetry.samples();
  const stats = database.stats();
  expect(busy).toMatchObject({
    user_bytes: stats.bytesWritten.user,
    log_bytes: stats.bytesWritten.log - before.bytesWritten.log,
    space_amplification: stats.space.amplification,
    syncs: stats.writes.syncs - before.writes.syncs,
  });
  expect(busy!.write_amplification).toBeCloseTo(stats.bytesWritten.amplification, 1);
  expect(busy!.cache_hit_rate).toBeGreaterThan(0);
  expect(busy!.memory).toMatchObject(stats.memory);
  clock.advance(1000);
  const quiet = telemetry.samples()[1]!;
  expect(quiet).toMatchObject({ user_bytes: 0, cache_hit_rate: null, filter_hit_rate: null });
  expect(quiet.write_amplification).toBe(busy!.write_amplification);
  clock.advance(61_000);
  expect(telemetry.samples().at(-1)!.write_amplification).toBe(0);
});

test("delays are those of the second", async () => {
  let delayed = 0;
  const wrap = (stats: DatabaseStats): DatabaseStats => ({
    ...stats,
    delays: {
      ...stats.delays,
      delayed: { memtables: 0, level0: delayed, debt: 0 },
      delayedMs: delayed * 2,
      bytesPerSecond: 1000,
    },
  });
  const other = await startTelemetry();
  const { telemetry, clock } = await startTelemetry({ store: () => wrap(other.database.stats()) });
  delayed = 5;
  clock.advance(1000);
  clock.advance(1000);
  const [first, second] = telemetry.samples();
  expect(first!.delays).toMatchObject({ level0: 5, delayed_ms: 10, memtables: 0 });
  expect(second!.delays).toMatchObject({ level0: 0, delayed_ms: 0 });
  expect(second!.bytes_per_second).toBe(1000);
});

test("rates are true where a second was longer than one", async () => {
  const { telemetry, clock } = await startTelemetry();
  const { now, monotonicMs } = clock;
  for (let i = 0; i < 300; i++) telemetry.record("tcp", "get", 1, false);
  // The loop was busy elsewhere for two seconds more.
  clock.monotonicMs = () => monotonicMs.call(clock) + 2000;
  clock.now = () => now.call(clock) + 2000;
  clock.advance(1000);
  expect(telemetry.samples()[0]!.operations.get!.rate).toBeCloseTo(100);
});

test("the last hundred slow operations are kept, with their keys as they were then", () => {
  const slow = new SlowOperations();
  const key = Buffer.from("key 0");
  for (let i = 0; i < 150; i++) {
    key[4] = 0x30 + (i % 10);
    slow.offer(i, "tcp", "get", 100 + i, false, key);
  }
  slow.offer(999, "tcp", "get", 99.9, false, key);
  const list = slow.list(new Map());
  expect(list).toHaveLength(100);
  expect(list[0]).toMatchObject({ time: 149, key: "key 9", duration_ms: 249 });
  expect(list.at(-1)).toMatchObject({ time: 50, key: "key 0" });
});
