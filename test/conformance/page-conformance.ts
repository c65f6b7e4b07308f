/** Pages, counts and limits of scans, as every store must have them. */
import { describe, expect, test } from "vitest";
import type { Entry, PageOptions, PageReader, ScanOptions, Store } from "../../src/store.ts";
import { Random, seeds } from "../support/random.ts";
import { freshOf, type OpenStore, text } from "./opened-store.ts";

const INVALID = { code: "INVALID_ARGUMENT" };

const shown = (entries: readonly Entry[]) =>
  entries.map(([key, value]) => `${text(key)}=${text(value)}`);

async function pagesOf(reader: PageReader, options: PageOptions): Promise<string[]> {
  const entries: string[] = [];
  let cursor: Uint8Array | undefined;
  do {
    const page = await reader.page({ ...options, ...(cursor === undefined ? {} : { cursor }) });
    if (options.limit !== undefined) expect(page.entries.length).toBeLessThanOrEqual(options.limit);
    entries.push(...shown(page.entries));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return entries;
}

async function filled(store: Store, count: number): Promise<void> {
  await store.batch(
    Array.from({ length: count }, (_, i) => {
      const key = `k:${String(i).padStart(4, "0")}`;
      return { type: "put" as const, key, value: `value ${i}` };
    }),
  );
}

export function pageConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);

  describe(`${name}: pages, counts and limits`, () => {
    test("a count ends when its signal fires, and others go on", async () => {
      const store = await fresh();
      await filled(store, 200);
      const snapshot = await store.snapshot();
      const aborted = expect.objectContaining({ code: "ABORTED" });
      for (const reader of [store, snapshot]) {
        await expect(reader.count({ signal: AbortSignal.abort() })).rejects.toEqual(aborted);
        expect(await reader.count({ signal: new AbortController().signal })).toBe(200);
        const wrong = { signal: "soon" as unknown as AbortSignal };
        await expect(reader.count(wrong)).rejects.toMatchObject(INVALID);
      }
      await snapshot.close();
    });

    test.each(seeds(12))("pages are what a scan is (seed %i)", async (seed) => {
      const store = await fresh();
      const random = new Random(seed);
      await filled(store, 200);
      for (let i = 0; i < 60; i++)
        await store.delete(`k:${String(random.below(200)).padStart(4, "0")}`);
      const bound = () => `k:${String(random.below(220)).padStart(4, "0")}`;
      for (let round = 0; round < 8; round++) {
        const options: ScanOptions = {
          ...(random.chance(50) ? { gte: bound() } : {}),
          ...(random.chance(30) ? { gt: bound() } : {}),
          ...(random.chance(50) ? { lt: bound() } : {}),
          ...(random.chance(30) ? { lte: bound() } : {}),
          ...(random.chance(30) ? { prefix: `k:0${random.below(3)}` } : {}),
          reverse: random.chance(50),
          keysOnly: random.chance(30),
        };
        const whole = shown(await Array.fromAsync(store.scan(options)));
        const limits = { limit: 1 + random.below(20), limitBytes: 1 + random.below(500) };
        expect(await pagesOf(store, { ...options, ...limits })).toEqual(whole);
        expect(await pagesOf(store, options)).toEqual(whole);
        const { reverse: _, keysOnly: __, ...range } = options;
        expect(await store.count(range)).toBe(whole.length);
      }
    });

    test("a page goes on where the one before ended, whatever is written between", async () => {
      const store = await fresh();
      await filled(store, 4);
      const first = await store.page({ limit: 2 });
      expect(shown(first.entries)).toEqual(["k:0000=value 0", "k:0001=value 1"]);
      const cursor = first.cursor as Uint8Array;
      await store.put("k:0001a", "new");
      await store.delete("k:0000");
      const second = await store.page({ limit: 2, cursor });
      expect(shown(second.entries)).toEqual(["k:0001a=new", "k:0002=value 2"]);
      const backwards = await store.page({ limit: 2, reverse: true });
      expect(shown(backwards.entries)).toEqual(["k:0003=value 3", "k:0002=value 2"]);
      const rest = await store.page({ reverse: true, cursor: backwards.cursor as Uint8Array });
      expect(shown(rest.entries)).toEqual(["k:0001a=new", "k:0001=value 1"]);
      expect(rest.cursor).toBeUndefined();
    });

    test("a snapshot's pages and counts, and those of the past, see their moment", async () => {
      const store = await fresh();
      await filled(store, 5);
      await using snapshot = await store.snapshot();
      const { version } = await store.delete("k:0001");
      await store.deleteRange({ prefix: "k:" });
      expect(await pagesOf(snapshot, { limit: 2 })).toHaveLength(5);
      expect(await snapshot.count()).toBe(5);
      expect(await store.count({ at: version })).toBe(4);
      expect((await store.page({ at: version, limit: 9 })).entries).toHaveLength(4);
      expect(await store.count()).toBe(0);
      expect(await store.page()).toEqual({ entries: [], cursor: undefined });
      await expect(snapshot.count({ at: version })).rejects.toMatchObject(INVALID);
      await expect(snapshot.page({ at: version })).rejects.toMatchObject(INVALID);
    });

    test("a scan ends with the entry that reaches its limit of bytes", async () => {
      const store = await fresh();
      await filled(store, 10);
      const limited = (limitBytes: number, reverse = false) =>
        Array.fromAsync(store.scan({ limitBytes, reverse }));
      // Six bytes of key and seven of value.
      expect(await limited(1)).toHaveLength(1);
      expect(await limited(13)).toHaveLength(1);
      expect(await limited(14)).toHaveLength(2);
      expect(shown(await limited(14, true))).toEqual(["k:0009=value 9", "k:0008=value 8"]);
      expect(await limited(1_000_000)).toHaveLength(10);
    });

    test("a scan of keys alone has empty values, of merged entries, too", async () => {
      const store = await fresh();
      await store.put("a", "value");
      await store.merge("b", "append", "x");
      const entries = await Array.fromAsync(store.scan({ keysOnly: true }));
      expect(shown(entries)).toEqual(["a=", "b="]);
      expect((await store.page({ keysOnly: true })).entries).toEqual(entries);
    });

    test("a transaction's scan keeps to limits and keys, of its own writes, too", async () => {
      const store = await fresh();
      await filled(store, 3);
      await store.transaction(async (tx) => {
        tx.put("k:0000a", "own");
        const keys = await Array.fromAsync(tx.scan({ keysOnly: true, limit: 2 }));
        expect(shown(keys)).toEqual(["k:0000=", "k:0000a="]);
        const limited = await Array.fromAsync(tx.scan({ limitBytes: 15 }));
        expect(shown(limited)).toEqual(["k:0000=value 0", "k:0000a=own"]);
        expect(() => tx.scan({ limitBytes: 0 })).toThrow("limitBytes");
      });
    });

    test("a cursor that was changed, or is of another scan, is refused", async () => {
      const store = await fresh();
      await filled(store, 5);
      const { cursor } = await store.page({ limit: 2 });
      const good = cursor as Uint8Array;
      for (let i = 0; i < good.length; i++) {
        const bad = new Uint8Array(good);
        bad[i]! ^= 1;
        await expect(store.page({ cursor: bad })).rejects.toMatchObject(INVALID);
      }
      for (const wrong of [
        { cursor: good, reverse: true },
        { cursor: good, prefix: "k:" },
        { cursor: good, lt: "z" },
        { cursor: new Uint8Array(3) },
        { cursor: "text" as unknown as Uint8Array },
        { limit: 0 },
        { limitBytes: 0 },
        { limitBytes: 1.5 },
        { keysOnly: 1 as unknown as boolean },
      ]) {
        await expect(store.page(wrong)).rejects.toMatchObject(INVALID);
      }
      expect((await store.page({ cursor: good })).entries).toHaveLength(3);
    });
  });
}
