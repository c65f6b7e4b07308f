/**
 * The promises of `Store`, as one suite that every implementation is held to: the embedded database and the
 * client over TCP must not be told apart by a program.
 */
import { describe, expect, test } from "vitest";
import { compareBytes } from "../../src/bytes/compare.ts";
import { toBytes } from "../../src/bytes/data.ts";
import type { Entry, ScanOptions, Store } from "../../src/store.ts";
import { Random, seeds } from "../support/random.ts";
import { bad, freshOf, keysOf, type OpenStore, put, text } from "./opened-store.ts";

export function storeConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);

  describe(`${name}: single entries`, () => {
    test("what was put is read, what was not is undefined", async () => {
      const store = await fresh();
      expect(await store.get("a")).toBeUndefined();
      await store.put("a", "1");
      expect(text(await store.get("a"))).toBe("1");
      await store.put("a", "2");
      expect(text(await store.get("a"))).toBe("2");
      await store.delete("a");
      expect(await store.get("a")).toBeUndefined();
      await store.delete("never there");
    });

    test("an empty value is a value", async () => {
      const store = await fresh();
      await store.put("empty", "");
      expect(await store.get("empty")).toEqual(new Uint8Array());
      expect(await Array.fromAsync(store.scan())).toEqual([[toBytes("empty"), new Uint8Array()]]);
    });

    test("a string and its UTF-8 are the same key and value", async () => {
      const store = await fresh();
      await store.put("Zürich", toBytes("Größe"));
      expect(text(await store.get(toBytes("Zürich")))).toBe("Größe");
    });

    test("keys order as unsigned bytes, whatever they hold", async () => {
      const store = await fresh();
      const keys = Array.from({ length: 256 }, (_, byte) => new Uint8Array([byte]));
      keys.push(new Uint8Array([0, 0]), new Uint8Array([255, 0]), new Uint8Array([127, 255]));
      await Promise.all(keys.toReversed().map((key) => store.put(key, key)));
      const sorted = keys.toSorted(compareBytes);
      expect(await Array.fromAsync(store.scan())).toEqual(sorted.map((key) => [key, key]));
    });

    test("the longest key and a value of several MiB pass", async () => {
      const store = await fresh();
      const random = new Random(1);
      const key = random.bytes(64 * 1024);
      const value = random.bytes(5 * 1024 * 1024);
      await store.put(key, value);
      await store.put("small", "1");
      expect(compareBytes((await store.get(key)) ?? new Uint8Array(), value)).toBe(0);
      const [entry] = await store.scan({ gte: key }).nextMany(1);
      expect(compareBytes(entry?.[1] ?? new Uint8Array(), value)).toBe(0);
    });

    test("results are the caller's to change, and arguments too once the call has returned", async () => {
      const store = await fresh();
      const key = toBytes("key");
      const value = toBytes("value");
      const written = store.put(key, value);
      key.fill(0);
      value.fill(0);
      await written;
      const got = await store.get("key");
      expect(text(got)).toBe("value");
      got?.fill(0);
      const [[scannedKey, scannedValue] = []] = await store.scan().nextMany(1);
      scannedKey?.fill(0);
      scannedValue?.fill(0);
      expect(text(await store.get("key"))).toBe("value");
    });

    test.each(["always", "interval", "none"] as const)(
      "durability %s is accepted per write",
      async (durability) => {
        const store = await fresh();
        await store.put("a", "1", { durability });
        await store.batch([put("b", "2")], { durability });
        await store.delete("a", { durability });
        expect(await keysOf(store)).toEqual(["b"]);
      },
    );
  });

  describe(`${name}: entries with their past`, () => {
    test("revision and creation are counted from when the key came into being", async () => {
      const store = await fresh();
      const before = Date.now();
      expect(await store.getEntry("a")).toBeUndefined();
      const first = await store.put("a", "1");
      const born = await store.getEntry("a");
      expect(born).toMatchObject({ sequence: first.version, revision: 1 });
      expect(text(born?.value)).toBe("1");
      expect(born?.createdAt).toBe(born?.updatedAt);
      expect(born?.createdAt).toBeGreaterThanOrEqual(before);
      expect(born?.createdAt).toBeLessThanOrEqual(Date.now());

      const { version } = await store.batch([put("a", "2"), put("b", "1"), put("a", "3")]);
      const grown = await store.getEntry("a");
      expect(grown).toMatchObject({ sequence: version, revision: 3, createdAt: born?.createdAt });
      expect(grown?.updatedAt).toBeGreaterThanOrEqual(before);
      expect(await store.getEntry("b")).toMatchObject({ sequence: version - 1, revision: 1 });

      await store.delete("a");
      expect(await store.getEntry("a")).toBeUndefined();
      await store.put("a", "4");
      expect(await store.getEntry("a")).toMatchObject({ revision: 1 });
    });

    test("a thousand overwrites of many keys are counted, wherever they are by then", async () => {
      const store = await fresh();
      const keys = Array.from({ length: 20 }, (_, i) => `key:${i}`);
      for (let round = 0; round < 50; round++) {
        await store.batch(keys.map((key) => put(key, `${round}${"x".repeat(200)}`)));
      }
      for (const key of keys) {
        const entry = await store.getEntry(key);
        expect(entry?.revision).toBe(50);
        expect(text(entry?.value)).toMatch(/^49x/);
      }
    });

    test("an entry's value is the caller's to change", async () => {
      const store = await fresh();
      await store.put("a", "1");
      (await store.getEntry("a"))?.value.fill(0);
      expect(text((await store.getEntry("a"))?.value)).toBe("1");
    });
  });

  describe(`${name}: many at once`, () => {
    test("getMany answers in the order of the keys, with repeats and absent ones", async () => {
      const store = await fresh();
      await store.batch([put("a", "1"), put("b", "2")]);
      const values = await store.getMany(["b", "none", "a", "b"]);
      expect(values.map(text)).toEqual(["2", undefined, "1", "2"]);
      expect(await store.getMany([])).toEqual([]);
    });

    test("of several operations of a batch on one key the last wins", async () => {
      const store = await fresh();
      await store.batch([put("a", "1"), { type: "delete", key: "a" }, put("a", "3")]);
      await store.batch([put("b", "1"), { type: "delete", key: "b" }]);
      expect(text(await store.get("a"))).toBe("3");
      expect(await store.get("b")).toBeUndefined();
    });

    test("an empty batch is applied without effect", async () => {
      const store = await fresh();
      const { version } = await store.put("a", "1");
      expect((await store.batch([])).version).toBeGreaterThanOrEqual(version);
      expect(await keysOf(store)).toEqual(["a"]);
    });

    test("writes in flight together are applied in the order in which they were made", async () => {
      const store = await fresh();
      const commits = await Promise.all(
        Array.from({ length: 500 }, (_, i) => store.put(`key:${i % 7}`, String(i))),
      );
      const versions = commits.map(({ version }) => version);
      expect(versions).toEqual(versions.toSorted((a, b) => a - b));
      expect(new Set(versions).size).toBe(500);
      const last = await store.getMany(Array.from({ length: 7 }, (_, i) => `key:${i}`));
      expect(last.map(text)).toEqual(["497", "498", "499", "493", "494", "495", "496"]);
    });
  });

  describe(`${name}: scans`, () => {
    test.each(seeds(8))("every combination of bounds, both ways (seed %i)", async (seed) => {
      const store = await fresh();
      const random = new Random(seed);
      const alphabet = [0x00, 0x61, 0x62, 0xff];
      const randomKey = () =>
        Uint8Array.from({ length: 1 + random.below(4) }, () => random.pick(alphabet));
      const model = new Map<string, Entry>();
      for (let i = 0; i < 80; i++) {
        const key = randomKey();
        model.set(String(key), [key, random.bytes(random.below(9))]);
      }
      await store.batch([...model.values()].map(([key, value]) => ({ type: "put", key, value })));
      for (let i = 0; i < 60; i++) {
        const options: ScanOptions = {
          ...(random.chance(30) ? { gte: randomKey() } : {}),
          ...(random.chance(30) ? { gt: randomKey() } : {}),
          ...(random.chance(30) ? { lt: randomKey() } : {}),
          ...(random.chance(30) ? { lte: randomKey() } : {}),
          ...(random.chance(30) ? { prefix: randomKey() } : {}),
          ...(random.chance(30) ? { limit: random.below(6) } : {}),
          reverse: random.chance(50),
        };
        expect(await Array.fromAsync(store.scan(options))).toEqual(naiveScan(model, options));
      }
    });

    test("a scan sees the moment at which it was made", async () => {
      const store = await fresh();
      await store.batch(Array.from({ length: 300 }, (_, i) => put(`k${1000 + i}`, "before")));
      const scan = store.scan();
      const first = await scan.nextMany(10);
      await store.batch(Array.from({ length: 300 }, (_, i) => put(`k${1000 + i}`, "after")));
      await store.delete("k1299");
      await store.put("k2000", "new");
      const rest = await Array.fromAsync(scan);
      const values = new Set([...first, ...rest].map(([, value]) => text(value)));
      expect(first.length + rest.length).toBe(300);
      expect(values).toEqual(new Set(["before"]));
    });

    test("a scan that is left early frees the store for others, and ends", async () => {
      const store = await fresh();
      await store.batch(
        Array.from({ length: 2000 }, (_, i) => put(`k${10_000 + i}`, "x".repeat(500))),
      );
      for await (const [key] of store.scan()) {
        if (text(key) === "k10005") break;
      }
      const scan = store.scan();
      expect(await scan.nextMany(3)).toHaveLength(3);
      await scan.return();
      expect(await scan.next()).toEqual({ done: true, value: undefined });
      expect(await scan.nextMany(1)).toEqual([]);
      expect(await keysOf(store, { limit: 1 })).toEqual(["k10000"]);
    });

    test("many scans at once, among reads and writes, do not disturb one another", async () => {
      const store = await fresh();
      await store.batch(Array.from({ length: 500 }, (_, i) => put(`k${1000 + i}`, String(i))));
      const scans = Array.from({ length: 20 }, async (_, i) => {
        const reverse = i % 2 === 0;
        const keys = await keysOf(store, { reverse, prefix: "k", limit: 400 });
        expect(keys).toEqual(reverse ? keys.toSorted().reverse() : keys.toSorted());
        return keys.length;
      });
      const writes = Array.from({ length: 100 }, (_, i) => store.put(`other${i}`, "1"));
      const reads = Array.from({ length: 100 }, (_, i) => store.get(`k${1000 + i}`));
      expect(await Promise.all(scans)).toEqual(new Array(20).fill(400));
      await Promise.all(writes);
      expect((await Promise.all(reads)).map(text)).toEqual(
        Array.from({ length: 100 }, (_, i) => String(i)),
      );
    });

    test("nextMany takes what is left, then nothing; calls may overlap", async () => {
      const store = await fresh();
      await store.batch(Array.from({ length: 10 }, (_, i) => put(`k${i}`, "")));
      const scan = store.scan();
      const parts = await Promise.all([
        scan.nextMany(4),
        scan.nextMany(4),
        scan.nextMany(4),
        scan.next(),
      ]);
      expect(parts.slice(0, 3).map((part) => (part as Entry[]).length)).toEqual([4, 4, 2]);
      expect(parts[3]).toEqual({ done: true, value: undefined });
    });
  });

  describe(`${name}: bad input`, () => {
    test.each<[code: string, what: string, call: (store: Store) => Promise<unknown>]>([
      ["KEY_EMPTY", "put of an empty key", (store) => store.put("", "x")],
      ["KEY_EMPTY", "get of an empty key", (store) => store.get(new Uint8Array())],
      ["KEY_EMPTY", "getEntry of an empty key", (store) => store.getEntry("")],
      ["KEY_TOO_LARGE", "getEntry of a long key", (store) => store.getEntry("k".repeat(65_537))],
      ["INVALID_ARGUMENT", "getEntry of a number", (store) => store.getEntry(bad(7))],
      [
        "KEY_EMPTY",
        "a batch with an empty key",
        (store) => store.batch([put("ok", "1"), put("", "2")]),
      ],
      ["KEY_EMPTY", "getMany with an empty key", (store) => store.getMany(["a", ""])],
      ["KEY_TOO_LARGE", "put of a long key", (store) => store.put("k".repeat(65_537), "x")],
      ["KEY_TOO_LARGE", "delete of a long key", (store) => store.delete("k".repeat(65_537))],
      [
        "VALUE_TOO_LARGE",
        "put of a long value",
        (store) => store.put("k", new Uint8Array(2 ** 24 + 1)),
      ],
      [
        "BATCH_TOO_LARGE",
        "too many operations",
        (store) => store.batch(new Array(1_000_001).fill(put("a", ""))),
      ],
      ["INVALID_ARGUMENT", "a key that is a number", (store) => store.put(bad(7), "x")],
      ["INVALID_ARGUMENT", "a value that is null", (store) => store.put("k", bad(null))],
      ["INVALID_ARGUMENT", "keys that are no array", (store) => store.getMany(bad("a"))],
      ["INVALID_ARGUMENT", "operations that are no array", (store) => store.batch(bad({}))],
      ["INVALID_ARGUMENT", "an operation that is null", (store) => store.batch([bad(null)])],
      [
        "INVALID_ARGUMENT",
        "an unknown operation",
        (store) => store.batch([bad({ type: "inc", key: "a" })]),
      ],
      [
        "INVALID_ARGUMENT",
        "an unknown durability",
        (store) => store.put("a", "1", { durability: bad("x") }),
      ],
      [
        "INVALID_ARGUMENT",
        "a negative limit",
        (store) => Array.fromAsync(store.scan({ limit: -1 })),
      ],
      [
        "INVALID_ARGUMENT",
        "a bound that is a number",
        (store) => Array.fromAsync(store.scan({ gte: bad(1) })),
      ],
      ["INVALID_ARGUMENT", "nextMany of nothing", (store) => store.scan().nextMany(0)],
    ])("%s: %s, and nothing is changed", async (code, _what, call) => {
      const store = await fresh();
      await store.put("there", "1");
      await expect((async () => call(store))()).rejects.toMatchObject({ name: "VarveError", code });
      expect(await keysOf(store)).toEqual(["there"]);
      await store.put("after", "2");
      expect(await keysOf(store)).toEqual(["after", "there"]);
    });

    test("a closed store says CLOSED, and may be closed again", async () => {
      const store = await fresh();
      await store.put("a", "1");
      await store.close();
      await store.close();
      const calls = [
        () => store.put("a", "1"),
        () => store.get("a"),
        () => store.getMany(["a"]),
        () => store.getEntry("a"),
        () => store.delete("a"),
        () => store.batch([put("a", "1")]),
        () => store.scan().next(),
      ];
      for (const call of calls) {
        await expect((async () => call())()).rejects.toMatchObject({ code: "CLOSED" });
      }
    });
  });
}

function naiveScan(model: ReadonlyMap<string, Entry>, options: ScanOptions): Entry[] {
  const { gte, gt, lt, lte, prefix } = options as Record<string, Uint8Array | undefined>;
  const entries = [...model.values()]
    .filter(
      ([key]) =>
        (gte === undefined || compareBytes(key, gte) >= 0) &&
        (gt === undefined || compareBytes(key, gt) > 0) &&
        (lt === undefined || compareBytes(key, lt) < 0) &&
        (lte === undefined || compareBytes(key, lte) <= 0) &&
        (prefix === undefined || compareBytes(key.subarray(0, prefix.length), prefix) === 0),
    )
    .sort(([a], [b]) => compareBytes(a, b));
  if (options.reverse === true) entries.reverse();
  return entries.slice(0, options.limit);
}
