/**
 * What every store promises about entries that expire, by the real clock: a time that is waited for is short, and
 * waited for by looking.
 */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Condition, Expiry, Operation, Store } from "../../src/store.ts";
import { bad, entriesOf, freshOf, keysOf, type OpenStore, put, text } from "./opened-store.ts";

/** Soon enough to wait for. */
const SOON_MS = 30;
/** Late enough not to come while a test runs. */
const LATE_MS = 3_600_000;
const LOOK_MS = 2;
const PAST = { expiresAt: 1 };

/** Resolves when nobody sees the key any more; the test's own time limit ends it where that never comes. */
async function untilAbsent(store: Store, key: string): Promise<void> {
  while ((await store.get(key)) !== undefined) await delay(LOOK_MS);
}

async function expiryOf(store: Store, key: string): Promise<number | undefined> {
  const entry = await store.getEntry(key);
  if (entry === undefined) throw new Error(`${key} is absent`);
  return entry.expiresAt;
}

export function expiryConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);

  describe(`${name}: expiry`, () => {
    test("ttlMs counts from the call, and the entry is there until then and not after", async () => {
      const store = await fresh();
      const before = Date.now();
      await store.put("k", "1", { ttlMs: SOON_MS });
      const after = Date.now();
      const entry = await store.getEntry("k");
      if (entry !== undefined) {
        expect(entry.expiresAt).toBeGreaterThanOrEqual(before + SOON_MS);
        expect(entry.expiresAt).toBeLessThanOrEqual(after + SOON_MS);
      }
      await untilAbsent(store, "k");
      expect(Date.now()).toBeGreaterThanOrEqual(before + SOON_MS);
    });

    test("expiresAt is told as it was given", async () => {
      const store = await fresh();
      const expiresAt = Date.now() + LATE_MS;
      await store.put("k", "1", { expiresAt });
      expect(await store.getEntry("k")).toMatchObject({ expiresAt, revision: 1 });
      await store.put("last", "1", { expiresAt: 2 ** 43 - 1 });
      expect(await expiryOf(store, "last")).toBe(2 ** 43 - 1);
      expect(await entriesOf(store)).toEqual({ k: "1", last: "1" });
    });

    test("an entry without an expiry has none", async () => {
      const store = await fresh();
      await store.put("k", "1");
      const entry = await store.getEntry("k");
      expect(entry).toHaveProperty("expiresAt", undefined);
    });

    test("a time that has passed makes an entry that nobody sees", async () => {
      const store = await fresh();
      await store.put("k", "1");
      await store.put("k", "2", PAST);
      await store.put("l", "1", { expiresAt: 0 });
      expect(await store.getMany(["k", "l"])).toEqual([undefined, undefined]);
      expect(await keysOf(store)).toEqual([]);
    });

    test("what has expired is absent to every kind of read", async () => {
      const store = await fresh();
      await store.put("a", "1");
      await store.put("k", "1", { ttlMs: SOON_MS });
      await store.put("l", "1", { expiresAt: Date.now() + SOON_MS });
      await store.put("z", "1", { ttlMs: LATE_MS });
      await untilAbsent(store, "k");
      await untilAbsent(store, "l");
      expect(await store.getEntry("k")).toBeUndefined();
      const values = await store.getMany(["z", "k", "l", "a"]);
      expect(values.map(text)).toEqual(["1", undefined, undefined, "1"]);
      expect(await keysOf(store)).toEqual(["a", "z"]);
      expect(await keysOf(store, { reverse: true })).toEqual(["z", "a"]);
      expect(await keysOf(store, { gt: "a", limit: 1 })).toEqual(["z"]);
      expect(await keysOf(store, { lt: "z", limit: 1, reverse: true })).toEqual(["a"]);
    });

    test("what has expired is absent to conditions", async () => {
      const store = await fresh();
      const { version } = await store.put("k", "1", PAST);
      const conditions: Condition[] = [{ present: true }, { sequence: version }];
      for (const condition of conditions) {
        const error = await store.put("k", "2", { if: condition }).catch((reason) => reason);
        expect(error).toMatchObject({ code: "CONDITION_FAILED" });
        expect(error.sequence).toBeUndefined();
      }
      await store.put("k", "2", { if: { absent: true }, ttlMs: SOON_MS });
      await untilAbsent(store, "k");
      await store.batch([put("k", "3")], { if: [{ key: "k", absent: true }] });
      expect(await entriesOf(store)).toEqual({ k: "3" });
    });

    test("a put without an expiry is for good, whatever was there before", async () => {
      const store = await fresh();
      await store.put("k", "1", { ttlMs: LATE_MS });
      await store.put("k", "2");
      expect(await expiryOf(store, "k")).toBeUndefined();
      await store.put("l", "1", PAST);
      await store.put("l", "2");
      expect(await expiryOf(store, "l")).toBeUndefined();
      expect(await entriesOf(store)).toEqual({ k: "2", l: "2" });
    });

    test("the puts of a batch expire each for itself", async () => {
      const store = await fresh();
      const expiresAt = Date.now() + LATE_MS;
      await store.batch([
        { type: "put", key: "a", value: "1", ttlMs: SOON_MS },
        { type: "put", key: "b", value: "1", expiresAt },
        { type: "put", key: "c", value: "1", ...PAST },
        put("d", "1"),
        { type: "put", key: "d", value: "2", ...PAST },
        { type: "put", key: "e", value: "1", ...PAST },
        put("e", "2"),
      ]);
      expect(await expiryOf(store, "b")).toBe(expiresAt);
      expect(await expiryOf(store, "e")).toBeUndefined();
      await untilAbsent(store, "a");
      expect(await entriesOf(store)).toEqual({ b: "1", e: "2" });
    });

    test("among hundreds of entries the expired ones are left out, wherever they are by then", async () => {
      const store = await fresh();
      const keys = Array.from({ length: 600 }, (_, i) => `k${1000 + i}`);
      for (let i = 0; i < keys.length; i += 50) {
        const operations = keys.slice(i, i + 50).map((key, at): Operation => {
          const value = "x".repeat(100);
          return { type: "put", key, value, ...(at % 3 === 0 ? {} : { ttlMs: SOON_MS }) };
        });
        await store.batch(operations);
      }
      const lasting = keys.filter((_, i) => (i % 50) % 3 === 0);
      for (const key of keys.filter((_, i) => (i % 50) % 3 !== 0)) await untilAbsent(store, key);
      expect(await keysOf(store)).toEqual(lasting);
      expect(await keysOf(store, { reverse: true })).toEqual(lasting.toReversed());
      expect((await store.getMany(keys)).filter((value) => value !== undefined)).toHaveLength(
        lasting.length,
      );
    });
  });

  describe(`${name}: expire and persist`, () => {
    test("expire gives an entry another expiry, and leaves its value", async () => {
      const store = await fresh();
      const put = await store.put("k", "1");
      const expiresAt = Date.now() + LATE_MS;
      const commit = await store.expire("k", { expiresAt });
      expect(commit?.version).toBeGreaterThan(put.version);
      expect(await expiryOf(store, "k")).toBe(expiresAt);
      const before = Date.now();
      await store.expire("k", { ttlMs: LATE_MS });
      const at = await expiryOf(store, "k");
      expect(at).toBeGreaterThanOrEqual(before + LATE_MS);
      expect(at).toBeLessThanOrEqual(Date.now() + LATE_MS);
      expect(await entriesOf(store)).toEqual({ k: "1" });
      await store.expire("k", { ttlMs: SOON_MS });
      await untilAbsent(store, "k");
      expect(await entriesOf(store)).toEqual({});
    });

    test("a time that has passed ends an entry at once", async () => {
      const store = await fresh();
      await store.put("k", "1");
      expect(await store.expire("k", PAST)).toMatchObject({ version: expect.any(Number) });
      expect(await store.get("k")).toBeUndefined();
      expect(await keysOf(store)).toEqual([]);
    });

    test("persist takes an expiry away", async () => {
      const store = await fresh();
      const put = await store.put("k", "1", { ttlMs: LATE_MS });
      const commit = await store.persist("k");
      expect(commit?.version).toBeGreaterThan(put.version);
      expect(await expiryOf(store, "k")).toBeUndefined();
      expect(await store.persist("k")).toMatchObject({ version: expect.any(Number) });
      expect(await entriesOf(store)).toEqual({ k: "1" });
    });

    test("where the key is absent, expired or deleted, both say so and write nothing", async () => {
      const store = await fresh();
      await store.put("expired", "1", PAST);
      await store.put("deleted", "1");
      await store.delete("deleted");
      for (const key of ["never there", "expired", "deleted"]) {
        expect(await store.expire(key, { ttlMs: LATE_MS })).toBeUndefined();
        expect(await store.persist(key)).toBeUndefined();
        expect(await store.get(key)).toBeUndefined();
      }
      expect(await keysOf(store)).toEqual([]);
    });

    test("a write that follows an expire decides anew", async () => {
      const store = await fresh();
      await store.put("k", "1");
      await store.expire("k", { ttlMs: LATE_MS });
      await store.put("k", "2");
      expect(await expiryOf(store, "k")).toBeUndefined();
      await store.expire("k", { ttlMs: LATE_MS });
      await store.delete("k");
      await store.put("k", "3");
      expect(await expiryOf(store, "k")).toBeUndefined();
      expect(await entriesOf(store)).toEqual({ k: "3" });
    });
  });

  describe(`${name}: bad expiries`, () => {
    test.each<[what: string, expiry: unknown]>([
      ["ttlMs 0", { ttlMs: 0 }],
      ["ttlMs below 0", { ttlMs: -1 }],
      ["ttlMs between two", { ttlMs: 1.5 }],
      ["ttlMs that is no number", { ttlMs: Number.NaN }],
      ["ttlMs that is text", { ttlMs: "5" }],
      ["expiresAt below 0", { expiresAt: -1 }],
      ["expiresAt between two", { expiresAt: 1.5 }],
      ["expiresAt of 2^43", { expiresAt: 2 ** 43 }],
      ["expiresAt that is a Date", { expiresAt: new Date() }],
      ["both", { ttlMs: 1, expiresAt: 1 }],
    ])("INVALID_ARGUMENT: %s, and nothing is written", async (_what, given) => {
      const store = await fresh();
      await store.put("there", "1");
      const expiry = bad<Expiry>(given);
      const calls = [
        () => store.put("k", "1", expiry),
        () => store.batch([put("l", "1"), { type: "put", key: "k", value: "1", ...expiry }]),
        () => store.expire("there", expiry),
      ];
      for (const call of calls) {
        await expect((async () => call())()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      }
      expect(await entriesOf(store)).toEqual({ there: "1" });
      expect(await expiryOf(store, "there")).toBeUndefined();
    });

    test.each<[code: string, what: string, call: (store: Store) => Promise<unknown>]>([
      ["INVALID_ARGUMENT", "expire with neither", (store) => store.expire("there", {})],
      ["INVALID_ARGUMENT", "expire with null", (store) => store.expire("there", bad(null))],
      ["INVALID_ARGUMENT", "expire with a number", (store) => store.expire("there", bad(5))],
      ["KEY_EMPTY", "expire of an empty key", (store) => store.expire("", { ttlMs: 1 })],
      ["KEY_EMPTY", "persist of an empty key", (store) => store.persist("")],
      ["KEY_TOO_LARGE", "persist of a long key", (store) => store.persist("k".repeat(65_537))],
      ["INVALID_ARGUMENT", "persist of a number", (store) => store.persist(bad(7))],
      [
        "INVALID_ARGUMENT",
        "expire with an unknown durability",
        (store) => store.expire("there", { ttlMs: 1 }, { durability: bad("x") }),
      ],
      [
        "INVALID_ARGUMENT",
        "persist with an unknown durability",
        (store) => store.persist("there", { durability: bad("x") }),
      ],
    ])("%s: %s", async (code, _what, call) => {
      const store = await fresh();
      await store.put("there", "1");
      await expect((async () => call(store))()).rejects.toMatchObject({ code });
      expect(await expiryOf(store, "there")).toBeUndefined();
    });
  });
}
