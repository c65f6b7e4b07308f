/** What every store promises about increments. */

import { decodeCounter, encodeCounter } from "varve-protocol";
import { describe, expect, test } from "vitest";
import type { Store } from "../../src/store.ts";
import { bad, entriesOf, freshOf, type OpenStore } from "./opened-store.ts";

const COUNTER_MIN = -(2n ** 63n);
const COUNTER_MAX = 2n ** 63n - 1n;
const LATE_MS = 3_600_000;

export function counterConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);

  describe(`${name}: increments`, () => {
    test("a counter starts at 0, goes by 1 or by what is given, and tells what it came to", async () => {
      const store = await fresh();
      const first = await store.increment("k");
      expect(first).toEqual({ version: expect.any(Number), value: 1n });
      expect((await store.increment("k", 41)).value).toBe(42n);
      expect((await store.increment("k", -50n)).value).toBe(-8n);
      const last = await store.increment("k", 0);
      expect(last.value).toBe(-8n);
      expect(last.version).toBeGreaterThan(first.version);
      expect(await store.get("k")).toEqual(encodeCounter(-8));
      expect(await store.getEntry("k")).toMatchObject({ sequence: last.version });
    });

    test("it is exact beyond 2^53", async () => {
      const store = await fresh();
      await store.increment("k", 2 ** 53 - 1);
      expect((await store.increment("k", 2)).value).toBe(2n ** 53n + 1n);
      expect((await store.increment("k", 2n ** 62n)).value).toBe(2n ** 62n + 2n ** 53n + 1n);
      expect((await store.increment("k", -(2n ** 62n) - 2n)).value).toBe(2n ** 53n - 1n);
    });

    test("it goes to the limits of 64 bits, and no further", async () => {
      const store = await fresh();
      expect((await store.increment("high", COUNTER_MAX)).value).toBe(COUNTER_MAX);
      expect((await store.increment("low", COUNTER_MIN)).value).toBe(COUNTER_MIN);
      for (const [key, delta] of [
        ["high", 1],
        ["high", COUNTER_MAX],
        ["low", -1],
      ] as const) {
        await expect(store.increment(key, delta)).rejects.toMatchObject({
          code: "COUNTER_OVERFLOW",
          retryable: false,
          maybeApplied: false,
        });
      }
      expect(decodeCounter((await store.get("high"))!)).toBe(COUNTER_MAX);
      expect(decodeCounter((await store.get("low"))!)).toBe(COUNTER_MIN);
      expect((await store.increment("high", COUNTER_MIN)).value).toBe(-1n);
    });

    test.each(["", "7", "seven b", "nine byte"])(
      "a value that has not 8 bytes is no counter, and stays: %j",
      async (value) => {
        const store = await fresh();
        await store.put("k", value);
        await expect(store.increment("k")).rejects.toMatchObject({ code: "NOT_A_COUNTER" });
        expect(await entriesOf(store)).toEqual({ k: value });
      },
    );

    test("it goes on from puts and merges, and they from it", async () => {
      const store = await fresh();
      await store.put("k", encodeCounter(10));
      expect((await store.increment("k")).value).toBe(11n);
      await store.merge("k", "add", 5);
      await store.merge("k", "max", 20);
      expect((await store.increment("k", 2)).value).toBe(22n);
      await store.merge("k", "add", -2);
      expect(await store.get("k")).toEqual(encodeCounter(20));
      await store.delete("k");
      expect((await store.increment("k", 3)).value).toBe(3n);
    });

    test("it keeps the entry's expiry, and starts at 0 where that has passed", async () => {
      const store = await fresh();
      const expiresAt = Date.now() + LATE_MS;
      await store.put("k", encodeCounter(10), { expiresAt });
      await store.increment("k");
      expect(await store.getEntry("k")).toMatchObject({ expiresAt, value: encodeCounter(11) });
      await store.expire("k", { expiresAt: 1 });
      expect((await store.increment("k")).value).toBe(1n);
      expect((await store.getEntry("k"))?.expiresAt).toBeUndefined();
    });

    test("200 increments at one time sum up, and each tells a sum of its own", async () => {
      const store = await fresh();
      const incremented = await Promise.all(
        Array.from({ length: 200 }, (_, i) => store.increment("k", i % 2 === 0 ? 1 : 1n)),
      );
      const values = incremented.map(({ value }) => Number(value)).sort((a, b) => a - b);
      expect(values).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
      const byVersion = incremented.toSorted((a, b) => a.version - b.version);
      expect(byVersion.map(({ value }) => Number(value))).toEqual(values);
      expect(await store.get("k")).toEqual(encodeCounter(200));
    });

    test("increments and merges at one time, of several keys, are all counted", async () => {
      const store = await fresh();
      await Promise.all(
        Array.from({ length: 300 }, (_, i): Promise<unknown> => {
          const key = `k${i % 4}`;
          return i % 3 === 0 ? store.merge(key, "add", 1) : store.increment(key);
        }),
      );
      const values = await store.getMany(["k0", "k1", "k2", "k3"]);
      expect(values).toEqual(new Array(4).fill(encodeCounter(75)));
    });

    test("counters go on wherever they are by then", async () => {
      const store = await fresh();
      const keys = Array.from({ length: 40 }, (_, i) => `counter:${i}`);
      for (let round = 1; round <= 20; round++) {
        await store.put(`filler:${round}`, "x".repeat(1000));
        const sums = await Promise.all(keys.map((key) => store.increment(key, round)));
        const expected = BigInt((round * (round + 1)) / 2);
        expect(new Set(sums.map(({ value }) => value))).toEqual(new Set([expected]));
      }
    });

    test.each<[code: string, what: string, call: (store: Store) => Promise<unknown>]>([
      ["INVALID_ARGUMENT", "a number between two", (store) => store.increment("k", 1.5)],
      ["INVALID_ARGUMENT", "no number", (store) => store.increment("k", Number.NaN)],
      ["INVALID_ARGUMENT", "a number that is not exact", (store) => store.increment("k", 2 ** 53)],
      ["INVALID_ARGUMENT", "more than 64 bits", (store) => store.increment("k", 2n ** 63n)],
      ["INVALID_ARGUMENT", "text", (store) => store.increment("k", bad("1"))],
      ["INVALID_ARGUMENT", "null", (store) => store.increment("k", bad(null))],
      ["INVALID_ARGUMENT", "bytes", (store) => store.increment("k", bad(encodeCounter(1)))],
      ["KEY_EMPTY", "an empty key", (store) => store.increment("")],
      ["KEY_TOO_LARGE", "a long key", (store) => store.increment("k".repeat(65_537))],
      ["INVALID_ARGUMENT", "a key that is a number", (store) => store.increment(bad(7))],
      [
        "INVALID_ARGUMENT",
        "an unknown durability",
        (store) => store.increment("k", 1, { durability: bad("x") }),
      ],
    ])("%s: %s, and nothing is written", async (code, _what, call) => {
      const store = await fresh();
      await expect((async () => call(store))()).rejects.toMatchObject({ name: "VarveError", code });
      expect(await entriesOf(store)).toEqual({});
    });
  });
}
