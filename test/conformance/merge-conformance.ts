/** What every store promises about merges. */

import { decodeCounter, encodeCounter } from "varve-protocol";
import { describe, expect, test } from "vitest";
import type { MergeOperator, Operand, Operation, Store } from "../../src/store.ts";
import { Random, seeds } from "../support/random.ts";
import { bad, entriesOf, freshOf, keysOf, type OpenStore, put, text } from "./opened-store.ts";

const COUNTER_MIN = -(2n ** 63n);
const COUNTER_MAX = 2n ** 63n - 1n;
const VALUE_BYTES_MAX = 2 ** 24;
const LATE_MS = 3_600_000;

const merge = (key: string, operator: MergeOperator, operand: Operand): Operation => ({
  type: "merge",
  key,
  operator,
  operand,
});

async function counterOf(store: Store, key: string): Promise<bigint | undefined> {
  const value = await store.get(key);
  if (value !== undefined) expect(value).toHaveLength(8);
  return value === undefined ? undefined : decodeCounter(value);
}

export function mergeConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);

  describe(`${name}: merges`, () => {
    test.each<[operator: MergeOperator, absent: bigint, ups: [operand: Operand, to: bigint][]]>([
      [
        "add",
        5n,
        [
          [5, 10n],
          [-20n, -10n],
          [encodeCounter(12), 2n],
        ],
      ],
      [
        "max",
        5n,
        [
          [4, 5n],
          [7n, 7n],
          [-9, 7n],
          [encodeCounter(8), 8n],
        ],
      ],
      [
        "min",
        5n,
        [
          [6, 5n],
          [-7n, -7n],
          [9, -7n],
          [encodeCounter(-8), -8n],
        ],
      ],
    ])("%s works on an absent key and on what came before", async (operator, absent, ups) => {
      const store = await fresh();
      await store.merge("k", operator, 5);
      expect(await counterOf(store, "k")).toBe(absent);
      for (const [operand, to] of ups) {
        await store.merge("k", operator, operand);
        expect(await counterOf(store, "k")).toBe(to);
      }
    });

    test("max and min of an absent key take the operand, whatever its sign", async () => {
      const store = await fresh();
      await store.merge("max", "max", -5);
      await store.merge("min", "min", 5);
      expect(await counterOf(store, "max")).toBe(-5n);
      expect(await counterOf(store, "min")).toBe(5n);
    });

    test("append puts bytes behind the value, or makes it", async () => {
      const store = await fresh();
      await store.merge("k", "append", "Zü");
      await store.merge("k", "append", new TextEncoder().encode("ri"));
      await store.merge("k", "append", "");
      await store.merge("k", "append", "ch");
      expect(text(await store.get("k"))).toBe("Zürich");
      await store.put("l", "a");
      await store.merge("l", "append", "b");
      await store.merge("empty", "append", "");
      expect(await entriesOf(store)).toEqual({ empty: "", k: "Zürich", l: "ab" });
    });

    test("add is exact in 64 bits, and wraps around", async () => {
      const store = await fresh();
      await store.merge("k", "add", 2 ** 53 - 1);
      await store.merge("k", "add", 2n);
      expect(await counterOf(store, "k")).toBe(2n ** 53n + 1n);
      await store.put("high", encodeCounter(COUNTER_MAX));
      await store.merge("high", "add", 1);
      expect(await counterOf(store, "high")).toBe(COUNTER_MIN);
      await store.merge("high", "add", -1);
      expect(await counterOf(store, "high")).toBe(COUNTER_MAX);
    });

    test("the limits of 64 bits are operands as any other", async () => {
      const store = await fresh();
      await store.merge("k", "max", COUNTER_MIN);
      expect(await counterOf(store, "k")).toBe(COUNTER_MIN);
      await store.merge("k", "max", COUNTER_MAX);
      expect(await counterOf(store, "k")).toBe(COUNTER_MAX);
      await store.merge("k", "min", COUNTER_MIN);
      expect(await counterOf(store, "k")).toBe(COUNTER_MIN);
    });

    test("of a value that has not 8 bytes the first 8 count, with zeros for those missing", async () => {
      const store = await fresh();
      await store.put("short", "a");
      await store.merge("short", "add", 256);
      expect(await counterOf(store, "short")).toBe(256n + 0x61n);
      await store.put("empty", "");
      await store.merge("empty", "max", -3);
      expect(await counterOf(store, "empty")).toBe(0n);
      await store.put("long", new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0x80, 9, 9]));
      await store.merge("long", "add", 1);
      expect(await counterOf(store, "long")).toBe(COUNTER_MIN + 2n);
    });

    test("append cuts the value at the largest that a store takes", async () => {
      const store = await fresh();
      await store.put("k", new Uint8Array(VALUE_BYTES_MAX - 2).fill(7));
      await store.merge("k", "append", "abc");
      await store.merge("k", "append", "d");
      const value = await store.get("k");
      expect(value).toHaveLength(VALUE_BYTES_MAX);
      expect(text(value?.subarray(-2))).toBe("ab");
      await store.merge("fresh", "append", new Uint8Array(VALUE_BYTES_MAX));
      expect(await store.get("fresh")).toHaveLength(VALUE_BYTES_MAX);
    });

    test("a merge is told as a write: its version, sequence and revision", async () => {
      const store = await fresh();
      const first = await store.put("k", encodeCounter(1));
      await store.merge("k", "add", 1);
      const last = await store.merge("k", "add", 1);
      expect(last.version).toBeGreaterThan(first.version);
      const entry = await store.getEntry("k");
      expect(entry).toMatchObject({ sequence: last.version, revision: 3, expiresAt: undefined });
      expect(entry?.value).toEqual(encodeCounter(3));
    });

    test("every read sees a merged value", async () => {
      const store = await fresh();
      await store.put("a", "1");
      await store.merge("b", "append", "x");
      await store.merge("b", "append", "y");
      await store.put("c", "1");
      await store.merge("c", "append", "2");
      expect((await store.getMany(["c", "none", "b"])).map(text)).toEqual(["12", undefined, "xy"]);
      expect(await entriesOf(store)).toEqual({ a: "1", b: "xy", c: "12" });
      const reversed = await Array.fromAsync(store.scan({ reverse: true }));
      expect(reversed.map(([key, value]) => [text(key), text(value)])).toEqual([
        ["c", "12"],
        ["b", "xy"],
        ["a", "1"],
      ]);
      expect(await keysOf(store, { limit: 1, gt: "a" })).toEqual(["b"]);
    });

    test("a batch folds its merges in order, around puts and deletes of the same key", async () => {
      const store = await fresh();
      await store.put("k", "0");
      await store.batch([
        merge("k", "append", "1"),
        put("l", "a"),
        merge("l", "append", "b"),
        merge("l", "append", "c"),
        merge("m", "append", "gone"),
        { type: "delete", key: "m" },
        merge("m", "append", "m"),
        merge("k", "append", "2"),
        merge("n", "append", "never read"),
        put("n", "n"),
        merge("o", "append", "gone"),
        { type: "delete", key: "o" },
      ]);
      expect(await entriesOf(store)).toEqual({ k: "012", l: "abc", m: "m", n: "n" });
    });

    test("operators may follow one another on one key", async () => {
      const store = await fresh();
      await store.batch([merge("k", "add", 5), merge("k", "max", 3), merge("k", "add", -1)]);
      await store.merge("k", "min", 2);
      expect(await counterOf(store, "k")).toBe(2n);
      await store.merge("k", "append", "!");
      expect(await store.get("k")).toEqual(new Uint8Array([...encodeCounter(2), 0x21]));
      await store.merge("k", "add", 1);
      expect(await counterOf(store, "k")).toBe(3n);
    });

    test("after a delete a merge starts afresh", async () => {
      const store = await fresh();
      await store.merge("k", "add", 5);
      await store.delete("k");
      expect(await store.get("k")).toBeUndefined();
      await store.merge("k", "add", 2);
      expect(await counterOf(store, "k")).toBe(2n);
    });

    test("a merge keeps the entry's expiry, and starts afresh where it has passed", async () => {
      const store = await fresh();
      const expiresAt = Date.now() + LATE_MS;
      await store.put("k", encodeCounter(1), { expiresAt });
      await store.merge("k", "add", 1);
      expect(await store.getEntry("k")).toMatchObject({ expiresAt, value: encodeCounter(2) });
      await store.expire("k", { ttlMs: LATE_MS * 2 });
      expect(await counterOf(store, "k")).toBe(2n);
      await store.persist("k");
      await store.merge("k", "add", 1);
      const persisted = await store.getEntry("k");
      expect(persisted).toMatchObject({ expiresAt: undefined, value: encodeCounter(3) });
      await store.expire("k", { expiresAt: 1 });
      await store.merge("k", "add", 10);
      const afresh = await store.getEntry("k");
      expect(afresh).toMatchObject({ expiresAt: undefined, value: encodeCounter(10) });
    });

    test("conditions see a merged entry, by the sequence of its last merge", async () => {
      const store = await fresh();
      const { version } = await store.merge("k", "append", "1");
      const operations = [merge("k", "append", "2"), merge("k", "append", "3")];
      await store.batch(operations, { if: [{ key: "k", sequence: version }] });
      const again = store.batch(operations, { if: [{ key: "k", sequence: version }] });
      await expect(again).rejects.toMatchObject({
        code: "CONDITION_FAILED",
        sequence: version + 2,
      });
      expect(await entriesOf(store)).toEqual({ k: "123" });
    });

    test("a scan sees the moment at which it was made", async () => {
      const store = await fresh();
      const keys = Array.from({ length: 300 }, (_, i) => `k${1000 + i}`);
      await store.batch(keys.map((key) => merge(key, "append", "before")));
      const scan = store.scan();
      const first = await scan.nextMany(10);
      await store.batch(keys.map((key) => merge(key, "append", " after")));
      const values = [...first, ...(await Array.fromAsync(scan))].map(([, value]) => text(value));
      expect(values).toEqual(keys.map(() => "before"));
      expect(new Set(Object.values(await entriesOf(store)))).toEqual(new Set(["before after"]));
    });

    test("hundreds of merges at one time are all counted", async () => {
      const store = await fresh();
      const commits = await Promise.all(
        Array.from({ length: 500 }, (_, i) => store.merge(`k${i % 3}`, "add", i)),
      );
      expect(new Set(commits.map(({ version }) => version)).size).toBe(500);
      const sums = [0n, 0n, 0n];
      for (let i = 0; i < 500; i++) sums[i % 3]! += BigInt(i);
      expect(await Promise.all([0, 1, 2].map((k) => counterOf(store, `k${k}`)))).toEqual(sums);
    });

    test.each(seeds(4))(
      "merges, puts and deletes by chance come to what a model says (seed %i)",
      async (seed) => {
        const store = await fresh();
        const random = new Random(seed);
        const keys = Array.from({ length: 12 }, (_, i) => `key:${i}`);
        const model = new Map<string, string>();
        for (let round = 0; round < 60; round++) {
          const operations = Array.from({ length: random.below(20) }, (): Operation => {
            const key = random.pick(keys);
            const value = `${round}${"x".repeat(random.below(40))} `;
            const dice = random.below(10);
            if (dice === 0) {
              model.delete(key);
              return { type: "delete", key };
            }
            const isPut = dice < 3;
            model.set(key, isPut ? value : (model.get(key) ?? "") + value);
            return isPut ? put(key, value) : merge(key, "append", value);
          });
          await store.batch(operations);
          const read = await store.getMany(keys);
          expect(read.map(text)).toEqual(keys.map((key) => model.get(key)));
        }
        expect(await entriesOf(store)).toEqual(Object.fromEntries(model));
        expect(await keysOf(store, { reverse: true })).toEqual([...model.keys()].sort().reverse());
      },
    );

    test("an operand may be changed once the call has returned", async () => {
      const store = await fresh();
      const operand = new TextEncoder().encode("append");
      const merged = store.merge("k", "append", operand);
      const batched = store.batch([{ type: "merge", key: "l", operator: "append", operand }]);
      operand.fill(0);
      await Promise.all([merged, batched]);
      expect(await entriesOf(store)).toEqual({ k: "append", l: "append" });
    });
  });

  describe(`${name}: bad merges`, () => {
    test.each<[code: string, what: string, operator: unknown, operand: unknown]>([
      ["INVALID_ARGUMENT", "an unknown operator", "multiply", 2],
      ["INVALID_ARGUMENT", "no operator", undefined, 2],
      ["INVALID_ARGUMENT", "a number between two", "add", 1.5],
      ["INVALID_ARGUMENT", "a number that is not exact", "add", 2 ** 53],
      ["INVALID_ARGUMENT", "more than 64 bits", "max", 2n ** 63n],
      ["INVALID_ARGUMENT", "less than 64 bits", "min", -(2n ** 63n) - 1n],
      ["INVALID_ARGUMENT", "a counter of text", "add", "1"],
      ["INVALID_ARGUMENT", "a counter of 7 bytes", "add", new Uint8Array(7)],
      ["INVALID_ARGUMENT", "a counter of 9 bytes", "min", new Uint8Array(9)],
      ["INVALID_ARGUMENT", "null", "max", null],
      ["INVALID_ARGUMENT", "a number to append", "append", 5],
      ["INVALID_ARGUMENT", "a bigint to append", "append", 5n],
      ["INVALID_ARGUMENT", "nothing to append", "append", undefined],
      ["VALUE_TOO_LARGE", "much to append", "append", new Uint8Array(VALUE_BYTES_MAX + 1)],
    ])("%s: %s, and nothing is written", async (code, _what, operator, operand) => {
      const store = await fresh();
      const operation = bad<Operation>({ type: "merge", key: "k", operator, operand });
      const calls = [
        () => store.merge("k", bad(operator), bad(operand)),
        () => store.batch([put("l", "1"), operation]),
      ];
      for (const call of calls) {
        await expect((async () => call())()).rejects.toMatchObject({ name: "VarveError", code });
      }
      expect(await entriesOf(store)).toEqual({});
    });

    test.each<[code: string, what: string, call: (store: Store) => Promise<unknown>]>([
      ["KEY_EMPTY", "an empty key", (store) => store.merge("", "add", 1)],
      ["KEY_TOO_LARGE", "a long key", (store) => store.merge("k".repeat(65_537), "add", 1)],
      ["INVALID_ARGUMENT", "a key that is a number", (store) => store.merge(bad(7), "add", 1)],
      ["KEY_EMPTY", "a batch's empty key", (store) => store.batch([merge("", "add", 1)])],
      [
        "INVALID_ARGUMENT",
        "an unknown durability",
        (store) => store.merge("k", "add", 1, { durability: bad("x") }),
      ],
    ])("%s: %s", async (code, _what, call) => {
      const store = await fresh();
      await expect((async () => call(store))()).rejects.toMatchObject({ code });
      expect(await entriesOf(store)).toEqual({});
    });
  });
}
