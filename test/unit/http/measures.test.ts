import assert from "node:assert";
import { expect, test } from "vitest";
import { IsoTime } from "../../../src/http/iso-time.ts";
import { type Door, type OperationName, Telemetry } from "../../../src/telemetry/telemetry.ts";
import { eventually } from "../../support/test-server.ts";
import { ask, post, put, startHttp } from "./support.ts";

test("each operation is measured once, as what it is, and whether it failed", async () => {
  const told: [OperationName, boolean][] = [];
  class Told extends Telemetry {
    override record(door: Door, operation: OperationName, durationMs: number, isError: boolean) {
      expect(door).toBe("http");
      expect(durationMs).toBeGreaterThanOrEqual(0);
      told.push([operation, isError]);
    }
  }
  const noSamples = () => assert.fail("no samples are taken here");
  const telemetry = new Told({ store: noSamples, tcp: () => ({}), http: () => ({}) });
  const { kv, url, server } = await startHttp({ telemetry });
  const asked: [() => Promise<unknown>, OperationName, boolean][] = [
    [() => put(`${kv}k`, { value: "v" }), "put", false],
    [() => put(`${kv}k`, "nonsense"), "put", true],
    [() => put(`${kv}k`, { value: "v" }, { "if-none-match": "*" }), "put", false],
    [() => ask(`${kv}k`), "get", false],
    [() => ask(`${kv}absent`), "get", false],
    [() => ask(kv), "page", false],
    [() => ask(kv, { headers: { accept: "application/x-ndjson" } }), "scan", false],
    [() => post(`${kv}batch`, { items: [] }), "batch", false],
    [() => ask(`${kv}k`, { method: "DELETE" }), "delete", false],
  ];
  for (const [request, operation, isError] of asked) {
    const before = told.length;
    await request();
    await eventually(() => told.length > before);
    expect(told.slice(before)).toEqual([[operation, isError]]);
  }
  await ask(`${url}/healthz`);
  expect(told).toHaveLength(asked.length);
  await eventually(() => server.stats().inFlight === 0);
  expect(server.stats()).toMatchObject({ requests: asked.length + 1, streams: 0, bodyBytes: 0 });
});

test("times are written as Date writes them", () => {
  const times = new IsoTime();
  const some = [
    0,
    1,
    999,
    86_399_999,
    86_400_000,
    951_782_400_000,
    1_769_860_800_123,
    2 ** 43 - 1,
    -1,
    -86_400_001,
  ];
  for (const ms of [...some, ...some.toReversed()])
    expect(times.of(ms)).toBe(new Date(ms).toISOString());
});
