/** Reads of the past, as every store must have them. */
import { describe, expect, test } from "vitest";
import type { KeyVersion } from "../../src/store.ts";
import { freshOf, type OpenStore, text } from "./opened-store.ts";

function shown({ value, updatedAt }: KeyVersion): string {
  if (value !== undefined) return `put ${text(value)}`;
  return updatedAt === undefined ? "range" : "delete";
}

export function pastConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);

  describe(`${name}: the past`, () => {
    test("is read at the version of any commit that is retained", async () => {
      const store = await fresh();
      const first = await store.put("a", "1");
      const second = await store.batch([
        { type: "put", key: "a", value: "2" },
        { type: "put", key: "b", value: "2" },
      ]);
      await store.delete("a");
      const at = first.version;
      expect(text(await store.get("a", { at }))).toBe("1");
      expect(await store.get("b", { at })).toBeUndefined();
      expect(text(await store.get("a", { at: second.version }))).toBe("2");
      expect(await store.get("a")).toBeUndefined();
      expect((await store.getMany(["a", "b"], { at })).map(text)).toEqual(["1", undefined]);
      expect(await store.getEntry("a", { at })).toMatchObject({ sequence: at, revision: 1 });
      const entry = await store.getEntry("a", { at: second.version });
      expect(entry).toMatchObject({ revision: 2, sequence: second.version - 1 });
      const scanned = await Array.fromAsync(store.scan({ at: second.version, reverse: true }));
      expect(scanned.map(([key, value]) => [text(key), text(value)])).toEqual([
        ["b", "2"],
        ["a", "2"],
      ]);
      expect(await Array.fromAsync(store.scan({ at: 0 }))).toEqual([]);
    });

    test("inside of a batch, at the sequence of an entry, has the batch's operations up to that one", async () => {
      const store = await fresh();
      await store.put("a", "1");
      const { version } = await store.batch([
        { type: "put", key: "a", value: "2" },
        { type: "put", key: "b", value: "2" },
        { type: "delete", key: "a" },
      ]);
      const sequences = (await store.history("a")).map(({ sequence }) => sequence);
      expect(sequences).toEqual([version, version - 2, version - 3]);
      const { sequence: at = 0 } = (await store.getEntry("b")) ?? {};
      expect(at).toBe(version - 1);
      expect((await store.getMany(["a", "b"], { at })).map(text)).toEqual(["2", "2"]);
      expect((await store.getMany(["a", "b"], { at: at - 1 })).map(text)).toEqual(["2", undefined]);
      expect(await store.count({ at: version })).toBe(1);
    });

    test("does not reach beyond the newest commit", async () => {
      const store = await fresh();
      const { version } = await store.put("a", "1");
      for (const at of [version + 1, -1, 0.5, Number.NaN]) {
        await expect(store.get("a", { at })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
        await expect(store.getMany(["a"], { at })).rejects.toMatchObject({
          code: "INVALID_ARGUMENT",
        });
        await expect(store.getEntry("a", { at })).rejects.toMatchObject({
          code: "INVALID_ARGUMENT",
        });
        await expect((async () => Array.fromAsync(store.scan({ at })))()).rejects.toMatchObject({
          code: "INVALID_ARGUMENT",
        });
      }
    });

    test("of a key is told newest first, with what was deleted, and how", async () => {
      const store = await fresh();
      const before = Date.now();
      await store.put("log", "a");
      await store.merge("log", "append", "b");
      await store.delete("log");
      await store.put("log", "c", { expiresAt: Date.now() + 3_600_000 });
      await store.deleteRange({ prefix: "lo" });
      const last = await store.put("log", "d");
      const versions = await store.history("log");
      expect(versions.map(shown)).toEqual(["put d", "range", "put c", "delete", "put ab", "put a"]);
      expect(versions[0]?.sequence).toBe(last.version);
      expect(versions.map(({ sequence }) => sequence)).toEqual(
        versions.map((_, i) => last.version - i),
      );
      for (const { updatedAt } of versions) {
        if (updatedAt !== undefined) expect(updatedAt).toBeGreaterThanOrEqual(before - 1000);
      }
      expect(versions[2]?.expiresAt).toBeGreaterThan(before);
      expect(versions[0]?.expiresAt).toBeUndefined();
      expect((await store.history("log", { limit: 2 })).map(shown)).toEqual(["put d", "range"]);
      expect(await store.history("another")).toEqual([]);
      for (const limit of [0, -1, 1.5, 10_001]) {
        await expect(store.history("log", { limit })).rejects.toMatchObject({
          code: "INVALID_ARGUMENT",
        });
      }
      await expect(store.history("")).rejects.toMatchObject({ code: "KEY_EMPTY" });
    });
  });
}
