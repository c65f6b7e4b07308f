/** Keyspaces: named parts of a store, apart from one another but for batches, transactions and snapshots across them. */
import { describe, expect, test } from "vitest";
import { toBytes } from "../../src/bytes/data.ts";
import type { KeyedStore, Keyspace, Operation, Watch, WatchEvent } from "../../src/store.ts";
import { bad, freshOf, keysOf, type OpenStore, text } from "./opened-store.ts";

const fails = (code: string) => ({ code });

async function contents(store: KeyedStore): Promise<Record<string, string>> {
  const entries = await Array.fromAsync(store.scan());
  return Object.fromEntries(entries.map(([key, value]) => [text(key), text(value)]));
}

async function nextCommit(watch: Watch): Promise<WatchEvent> {
  for (;;) {
    const { value } = await watch.next();
    if (value === undefined) throw new Error("the watch has ended");
    if (value.type !== "progress") return value;
  }
}

export function keyspaceConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);

  describe(`${name}: keyspaces are apart`, () => {
    test("the same key is another in each of them, and in the store", async () => {
      const store = await fresh();
      const [a, b] = [await store.keyspace("a"), await store.keyspace("b")];
      await store.put("key", "of the store");
      await a.put("key", "of a");
      await b.put("key", "of b");
      expect(text(await store.get("key"))).toBe("of the store");
      expect(text(await a.get("key"))).toBe("of a");
      expect(text(await b.get("key"))).toBe("of b");
      await a.delete("key");
      expect(await a.get("key")).toBeUndefined();
      expect(text(await b.get("key"))).toBe("of b");
      expect(a.name).toBe("a");
    });

    test("scans, pages and counts never cross, in either direction", async () => {
      const store = await fresh();
      const names = ["a", "b", "c"];
      const parts = await Promise.all(names.map((one) => store.keyspace(one)));
      const all: [KeyedStore, string][] = [[store, "store"]];
      for (const [i, part] of parts.entries()) all.push([part, names[i] as string]);
      for (const [part, own] of all) {
        for (const key of [Uint8Array.of(0), toBytes("k"), Uint8Array.of(255, 255)]) {
          await part.put(key, own);
        }
      }
      for (const [part, own] of all) {
        const values = (await Array.fromAsync(part.scan())).map(([, value]) => text(value));
        expect(values).toEqual([own, own, own]);
        const keys = (await Array.fromAsync(part.scan({ reverse: true }))).map(([key]) => [...key]);
        expect(keys).toEqual([[255, 255], [107], [0]]);
        expect(await part.count()).toBe(3);
        expect(await part.count({ gt: "k" })).toBe(1);
        expect(await part.count({ lt: "k" })).toBe(1);
        const first = await part.page({ limit: 2 });
        const second = await part.page({ limit: 2, cursor: first.cursor as Uint8Array });
        expect([first.entries.length, second.entries.length]).toEqual([2, 1]);
      }
    });

    test("a range that is deleted without an end ends with its keyspace", async () => {
      const store = await fresh();
      const [a, b] = [await store.keyspace("a"), await store.keyspace("b")];
      for (const part of [store, a, b]) for (const key of ["x", "y", "z"]) await part.put(key, "");
      await a.deleteRange({ gte: "" });
      await b.deleteRange({ gt: "x" });
      expect(await keysOf(store)).toEqual(["x", "y", "z"]);
      expect(await a.count()).toBe(0);
      expect(Object.keys(await contents(b))).toEqual(["x"]);
      await expect(a.deleteRange({})).rejects.toMatchObject(fails("INVALID_ARGUMENT"));
      await expect(a.deleteRange(bad({ gte: undefined }))).rejects.toMatchObject(
        fails("INVALID_ARGUMENT"),
      );
    });

    test("limits are those of the caller's keys", async () => {
      const store = await fresh();
      const a = await store.keyspace("a");
      const longest = new Uint8Array(64 * 1024);
      await a.put(longest, "longest");
      await store.put(longest, "of zeros");
      expect(text(await a.get(longest))).toBe("longest");
      expect(text(await store.get(longest))).toBe("of zeros");
      const longer = new Uint8Array(64 * 1024 + 1);
      for (const part of [store, a]) {
        await expect(part.put(longer, "")).rejects.toMatchObject(fails("KEY_TOO_LARGE"));
        await expect(part.put("", "")).rejects.toMatchObject(fails("KEY_EMPTY"));
        await expect(part.get("")).rejects.toMatchObject(fails("KEY_EMPTY"));
        await expect(part.put(bad(5), "")).rejects.toMatchObject(fails("INVALID_ARGUMENT"));
      }
    });

    test("errors name the caller's key", async () => {
      const store = await fresh();
      const a = await store.keyspace("a");
      const { version } = await a.put("k", "1");
      const failure = { code: "CONDITION_FAILED", key: toBytes("k"), sequence: version };
      await expect(a.put("k", "2", { if: { absent: true } })).rejects.toMatchObject(failure);
      const conditions = [{ keyspace: a, key: "k", absent: true }] as const;
      await expect(store.batch([], { if: conditions })).rejects.toMatchObject(failure);
      await store.put("\0k", "1");
      await expect(store.put("\0k", "2", { if: { absent: true } })).rejects.toMatchObject({
        key: toBytes("\0k"),
      });
    });

    test("a watch tells of its keyspace alone, with its caller's keys", async () => {
      const store = await fresh();
      const [a, b] = [await store.keyspace("a"), await store.keyspace("b")];
      await using watch = a.watch();
      await using ofStore = store.watch();
      await Promise.all([watch.next(), ofStore.next()]);
      await b.put("of b", "");
      await store.put("of the store", "");
      await a.put("of a", "1");
      expect(await nextCommit(watch)).toMatchObject({
        operations: [{ type: "put", key: toBytes("of a"), value: toBytes("1") }],
      });
      expect(await nextCommit(ofStore)).toMatchObject({
        operations: [{ key: toBytes("of the store") }],
      });
      await a.deleteRange({ gte: "" });
      const told = await nextCommit(watch);
      expect(told).toMatchObject({ operations: [{ type: "deleteRange", gte: new Uint8Array() }] });
      expect(told.type === "commit" && told.operations[0]).not.toHaveProperty("lt");
    });

    test("an ingest goes into its keyspace", async () => {
      const store = await fresh();
      const [a, b] = [await store.keyspace("a"), await store.keyspace("b")];
      await b.put("k1", "of b");
      await a.ingest([
        ["k1", "1"],
        ["k2", "2"],
      ]);
      expect(await contents(a)).toEqual({ k1: "1", k2: "2" });
      expect(await contents(b)).toEqual({ k1: "of b" });
      expect(await contents(store)).toEqual({});
    });
  });

  describe(`${name}: across keyspaces`, () => {
    test("a batch is all or nothing", async () => {
      const store = await fresh();
      const [a, b] = [await store.keyspace("a"), await store.keyspace("b")];
      await a.put("stock", "1");
      const sale: Operation[] = [
        { type: "delete", keyspace: a, key: "stock" },
        { type: "put", keyspace: b, key: "order", value: "17" },
        { type: "put", key: "log", value: "sold" },
      ];
      const conditions = [{ keyspace: a, key: "stock", present: true }] as const;
      await store.batch(sale, { if: conditions });
      expect([await contents(a), await contents(b), await contents(store)]).toEqual([
        {},
        { order: "17" },
        { log: "sold" },
      ]);
      await b.delete("order");
      await expect(store.batch(sale, { if: conditions })).rejects.toMatchObject({
        code: "CONDITION_FAILED",
        key: toBytes("stock"),
      });
      expect(await b.count()).toBe(0);
      // Of a keyspace's own batch, what names none is its own.
      await a.batch([
        { type: "put", key: "k", value: "a" },
        { type: "put", keyspace: b, key: "k", value: "b" },
      ]);
      expect([await contents(a), await contents(b)]).toEqual([{ k: "a" }, { k: "b" }]);
    });

    test("what is no keyspace of this store is refused", async () => {
      const store = await fresh();
      const other = await fresh();
      const foreign = await other.keyspace("a");
      await store.keyspace("a");
      const operation = { type: "put", keyspace: foreign, key: "k", value: "" } as const;
      await expect(store.batch([operation])).rejects.toMatchObject(fails("INVALID_ARGUMENT"));
      await expect(store.batch([{ ...operation, keyspace: bad("a") }])).rejects.toMatchObject(
        fails("INVALID_ARGUMENT"),
      );
      await using snapshot = await store.snapshot();
      expect(() => snapshot.keyspace(foreign)).toThrow(
        expect.objectContaining(fails("INVALID_ARGUMENT")),
      );
      await expect(
        store.transaction((transaction) => transaction.keyspace(foreign).put("k", "")),
      ).rejects.toMatchObject(fails("INVALID_ARGUMENT"));
    });

    test("a transaction reads and writes all of them at one moment", async () => {
      const store = await fresh();
      const [a, b] = [await store.keyspace("a"), await store.keyspace("b")];
      await a.put("n", "1");
      let attempts = 0;
      const result = await store.transaction(async (transaction) => {
        const [ofA, ofB] = [transaction.keyspace(a), transaction.keyspace(b)];
        const before = text(await ofA.get("n"));
        // Somebody is faster, once.
        if (attempts++ === 0) await a.put("n", "2");
        ofB.put("copy", before ?? "");
        ofA.put("m", "new");
        transaction.put("own", "of the store");
        const seen = (await Array.fromAsync(ofA.scan())).map(([key]) => text(key));
        expect(await ofB.getMany(["copy", "n"])).toEqual([toBytes(before ?? ""), undefined]);
        expect(seen).toEqual(["m", "n"]);
        return before;
      });
      expect([result, attempts]).toEqual(["2", 2]);
      expect([await contents(a), await contents(b), await contents(store)]).toEqual([
        { m: "new", n: "2" },
        { copy: "2" },
        { own: "of the store" },
      ]);
    });

    test("a write to one keyspace is no conflict for a scan of another", async () => {
      const store = await fresh();
      const [a, b] = [await store.keyspace("a"), await store.keyspace("b")];
      let attempts = 0;
      await a.transaction(async (transaction) => {
        attempts++;
        expect(await Array.fromAsync(transaction.scan())).toEqual([]);
        await b.put("k", `${attempts}`);
        await store.put("k", `${attempts}`);
        transaction.put("k", "a");
      });
      expect(attempts).toBe(1);
    });

    test("a snapshot shows each as it was", async () => {
      const store = await fresh();
      const [a, b] = [await store.keyspace("a"), await store.keyspace("b")];
      await a.put("k", "1");
      await b.put("k", "1");
      await using snapshot = await a.snapshot();
      await a.put("k", "2");
      await b.put("k", "2");
      await store.put("k", "2");
      const ofB = snapshot.keyspace(b);
      expect(text(await snapshot.get("k"))).toBe("1");
      expect(text(await ofB.get("k"))).toBe("1");
      expect(text((await ofB.getEntry("k"))?.value)).toBe("1");
      expect((await Array.fromAsync(ofB.scan())).map(([key]) => text(key))).toEqual(["k"]);
      expect(await ofB.count()).toBe(1);
      expect((await ofB.page()).entries.map(([key]) => text(key))).toEqual(["k"]);
      await snapshot.close();
      await expect(ofB.get("k")).rejects.toMatchObject(fails("CLOSED"));
    });
  });

  describe(`${name}: creating, dropping, settings`, () => {
    test("a keyspace is created where it is absent, unless told otherwise", async () => {
      const store = await fresh();
      await expect(store.keyspace("a", { create: false })).rejects.toMatchObject(
        fails("NO_SUCH_KEYSPACE"),
      );
      const [one, two] = await Promise.all([store.keyspace("a"), store.keyspace("a")]);
      await one.put("k", "1");
      expect(text(await two.get("k"))).toBe("1");
      expect(text(await (await store.keyspace("a", { create: false })).get("k"))).toBe("1");
      await expect(store.keyspace("a", { exclusive: true })).rejects.toMatchObject(
        fails("KEYSPACE_EXISTS"),
      );
      const created = await Promise.allSettled(
        Array.from({ length: 4 }, () => store.keyspace("b", { exclusive: true })),
      );
      expect(created.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect((await store.keyspaces()).map((keyspace) => keyspace.name)).toEqual(["a", "b"]);
    });

    test("what is dropped is gone, and one of the same name begins anew", async () => {
      const store = await fresh();
      const old = await store.keyspace("a");
      const other = await store.keyspace("b");
      await old.put("k", "old");
      await other.put("k", "other");
      expect(await store.dropKeyspace("a")).toBe(true);
      expect(await store.dropKeyspace("a")).toBe(false);
      expect(await store.dropKeyspace("never")).toBe(false);
      const calls: ((keyspace: Keyspace) => Promise<unknown>)[] = [
        (keyspace) => keyspace.get("k"),
        (keyspace) => keyspace.getEntry("k"),
        (keyspace) => keyspace.getMany(["k"]),
        (keyspace) => keyspace.put("k", ""),
        (keyspace) => keyspace.delete("k"),
        (keyspace) => keyspace.deleteRange({ gte: "" }),
        (keyspace) => keyspace.batch([{ type: "put", key: "k", value: "" }]),
        (keyspace) => keyspace.merge("k", "add", 1),
        (keyspace) => keyspace.increment("k"),
        (keyspace) => keyspace.expire("k", { ttlMs: 1 }),
        (keyspace) => keyspace.persist("k"),
        (keyspace) => keyspace.history("k"),
        (keyspace) => keyspace.count(),
        (keyspace) => keyspace.page(),
        (keyspace) => keyspace.ingest([["k", ""]]),
        async (keyspace) => keyspace.scan().next(),
        (keyspace) => keyspace.transaction((transaction) => transaction.get("k")),
        (keyspace) => store.batch([{ type: "put", keyspace, key: "k", value: "" }]),
        (keyspace) => store.batch([], { if: [{ keyspace, key: "k", absent: true }] }),
      ];
      const again = await store.keyspace("a");
      expect(await again.count()).toBe(0);
      await again.put("k", "new");
      for (const call of calls) {
        await expect(call(old)).rejects.toMatchObject(fails("NO_SUCH_KEYSPACE"));
      }
      expect(await contents(again)).toEqual({ k: "new" });
      expect(await contents(other)).toEqual({ k: "other" });
    });

    test("a drop ends what is going on with it: a scan at its end, a watch with the drop, snapshots at once", async () => {
      const store = await fresh();
      const a = await store.keyspace("a");
      for (const key of ["x", "y", "z"]) await a.put(key, "");
      await using snapshot = await store.snapshot();
      await using scan = a.scan();
      expect(text((await scan.next()).value?.[0])).toBe("x");
      await using watch = a.watch({ heartbeatMs: 10 });
      await watch.next();
      await store.dropKeyspace("a");
      expect((await scan.nextMany(9)).map(([key]) => text(key))).toEqual(["y", "z"]);
      await expect(snapshot.keyspace(a).get("x")).rejects.toMatchObject(fails("NO_SUCH_KEYSPACE"));
      expect(await nextCommit(watch)).toMatchObject({ operations: [{ type: "deleteRange" }] });
      await expect(nextCommit(watch)).rejects.toMatchObject(fails("NO_SUCH_KEYSPACE"));
      const watchOnceMore = async () => a.watch().next();
      await expect(watchOnceMore()).rejects.toMatchObject(fails("NO_SUCH_KEYSPACE"));
    });

    test("what is put without an expiry has the keyspace's", async () => {
      const store = await fresh();
      const a = await store.keyspace("a", { ttlMs: 100_000 });
      const before = Date.now();
      await a.put("put", "");
      await a.put("conditional", "", { if: { absent: true } });
      await a.batch([{ type: "put", key: "batch", value: "" }]);
      await store.batch([{ type: "put", keyspace: a, key: "from outside", value: "" }]);
      await a.increment("counter");
      await a.transaction((transaction) => transaction.put("transaction", ""));
      await a.ingest([["zz ingest", ""]]);
      for await (const [key] of a.scan()) {
        const expiresAt = (await a.getEntry(key))?.expiresAt ?? 0;
        expect(expiresAt).toBeGreaterThanOrEqual(before + 100_000);
        expect(expiresAt).toBeLessThanOrEqual(Date.now() + 100_000);
      }
      expect(await a.count()).toBe(7);
      const { expiresAt } = (await a.getEntry("counter")) ?? {};
      await a.increment("counter");
      expect((await a.getEntry("counter"))?.expiresAt).toBe(expiresAt);
      await a.put("own", "", { expiresAt: 5_000_000_000_000 });
      expect((await a.getEntry("own"))?.expiresAt).toBe(5_000_000_000_000);
      await a.persist("put");
      expect((await a.getEntry("put"))?.expiresAt).toBeUndefined();
      await store.put("elsewhere", "");
      expect((await store.getEntry("elsewhere"))?.expiresAt).toBeUndefined();
    });

    test("settings are listed and altered", async () => {
      const store = await fresh();
      const before = Date.now();
      await store.keyspace("b", { ttlMs: 1000, codec: "zstd" });
      const a = await store.keyspace("a");
      await a.put("k", "v");
      const [first, second] = await store.keyspaces();
      expect(first).toEqual({
        name: "a",
        id: expect.any(Number),
        createdAt: expect.any(Number),
        bytes: expect.any(Number),
      });
      expect(second).toMatchObject({ name: "b", ttlMs: 1000, codec: "zstd" });
      expect(first?.id).not.toBe(second?.id);
      expect(first?.createdAt).toBeGreaterThanOrEqual(before);
      await store.alterKeyspace("b", { ttlMs: null });
      await store.alterKeyspace("a", { codec: "lz4", ttlMs: 5000 });
      const [altered, cleared] = await store.keyspaces();
      expect(altered).toMatchObject({ codec: "lz4", ttlMs: 5000, id: first?.id });
      expect(cleared).toMatchObject({ codec: "zstd" });
      expect(cleared).not.toHaveProperty("ttlMs");
      await a.put("k2", "");
      expect((await a.getEntry("k2"))?.expiresAt).toBeDefined();
      await expect(store.alterKeyspace("never", { ttlMs: 1 })).rejects.toMatchObject(
        fails("NO_SUCH_KEYSPACE"),
      );
    });

    test("a retention is given, changed, and taken back to the store's", async () => {
      const store = await fresh();
      const retentionOf = async () => {
        const [found] = await store.keyspaces();
        return [found?.retentionMs, found?.retentionSequences];
      };
      await store.keyspace("a", { retentionMs: 60_000 });
      expect(await retentionOf()).toEqual([60_000, undefined]);
      await store.alterKeyspace("a", { retentionSequences: 0, ttlMs: 5 });
      expect(await retentionOf()).toEqual([60_000, 0]);
      await store.alterKeyspace("a", { retentionMs: 1, codec: "none" });
      expect(await retentionOf()).toEqual([1, 0]);
      await store.alterKeyspace("a", { retentionSequences: null });
      expect(await retentionOf()).toEqual([undefined, undefined]);
      await store.alterKeyspace("a", { retentionMs: null, retentionSequences: 7 });
      expect(await retentionOf()).toEqual([undefined, 7]);
      const [kept] = await store.keyspaces();
      expect(kept).toMatchObject({ ttlMs: 5, codec: "none" });
    });

    test("the past of one with a retention of its own is read as it was", async () => {
      const store = await fresh();
      const audit = await store.keyspace("audit", { retentionMs: 3_600_000 });
      const first = await audit.batch([
        { type: "put", key: "a", value: "1" },
        { type: "put", key: "b", value: "1" },
      ]);
      const second = await audit.put("a", "2");
      await store.put("a", "of the store");
      await audit.deleteRange({ gte: "a" });
      const at = first.version;
      expect(text(await audit.get("a", { at }))).toBe("1");
      expect((await audit.getMany(["a", "b"], { at })).map(text)).toEqual(["1", "1"]);
      expect(await audit.getEntry("a", { at: second.version })).toMatchObject({ revision: 2 });
      expect(await audit.count({ at })).toBe(2);
      expect((await audit.page({ at, limit: 1 })).entries.map(([key]) => text(key))).toEqual(["a"]);
      const scanned = await Array.fromAsync(audit.scan({ at: second.version }));
      expect(scanned.map((pair) => pair.map(text).join(" "))).toEqual(["a 2", "b 1"]);
      const values = (await audit.history("a")).map(({ value }) => value && text(value));
      expect(values).toEqual([undefined, "2", "1"]);
      expect(await audit.count()).toBe(0);
    });

    test.each([
      ["an empty name", (store: Parameters<typeof keysOf>[0]) => store.keyspace("")],
      ["a name that is too long", (store) => store.keyspace("x".repeat(256))],
      ["a name that is no text", (store) => store.keyspace(bad(5))],
      ["a name that is not well formed", (store) => store.keyspace("\ud800")],
      ["ttlMs 0", (store) => store.keyspace("a", { ttlMs: 0 })],
      ["retentionMs below 0", (store) => store.keyspace("a", { retentionMs: -1 })],
      ["retentionMs beyond 2^42", (store) => store.keyspace("a", { retentionMs: 2 ** 42 + 1 })],
      ["half a sequence", (store) => store.keyspace("a", { retentionSequences: 0.5 })],
      ["an unknown codec", (store) => store.keyspace("a", { codec: bad("gzip") })],
      ["create that is no boolean", (store) => store.keyspace("a", { create: bad(1) })],
      [
        "exclusive without create",
        (store) => store.keyspace("a", { create: false, exclusive: true }),
      ],
      ["options that are no object", (store) => store.keyspace("a", bad("x"))],
      ["no changes", (store) => store.alterKeyspace("a", {})],
      ["changes that are wrong", (store) => store.alterKeyspace("a", { ttlMs: -1 })],
      ["a name to drop that is empty", (store) => store.dropKeyspace("")],
    ] satisfies [string, (store: Parameters<typeof keysOf>[0]) => Promise<unknown>][])(
      "%s is INVALID_ARGUMENT, and creates nothing",
      async (_, call) => {
        const store = await fresh();
        await expect(call(store)).rejects.toMatchObject(fails("INVALID_ARGUMENT"));
        expect(await store.keyspaces()).toEqual([]);
      },
    );

    test("after close calls of a keyspace fail with CLOSED", async () => {
      const store = await fresh();
      const a = await store.keyspace("a");
      await store.close();
      await expect(a.get("k")).rejects.toMatchObject(fails("CLOSED"));
      await expect(store.keyspace("a")).rejects.toMatchObject(fails("CLOSED"));
      await expect(store.keyspaces()).rejects.toMatchObject(fails("CLOSED"));
    });
  });
}
