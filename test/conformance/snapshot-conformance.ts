/** What every store promises about snapshots. */
import { describe, expect, test } from "vitest";
import type { Reader } from "../../src/store.ts";
import { bad, freshOf, type OpenStore, put, text } from "./opened-store.ts";

async function all(reader: Reader): Promise<string[]> {
  const entries = await Array.fromAsync(reader.scan());
  return entries.map(([key, value]) => `${text(key)}=${text(value)}`);
}

export function snapshotConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);

  describe(`${name}: snapshots`, () => {
    test("a snapshot sees what was answered before it, and nothing of what came after", async () => {
      const store = await fresh();
      await store.batch([put("a", "1"), put("b", "1"), put("c", "1")]);
      const { version } = await store.merge("c", "append", "2");
      await using snapshot = await store.snapshot();
      expect(snapshot.sequence).toBe(version);
      await store.put("a", "2");
      await store.delete("b");
      await store.deleteRange({ gte: "c" });
      await store.put("d", "2");
      expect(await all(snapshot)).toEqual(["a=1", "b=1", "c=12"]);
      expect(text(await snapshot.get("a"))).toBe("1");
      expect(await snapshot.get("d")).toBeUndefined();
      expect((await snapshot.getMany(["b", "d", "c"])).map(text)).toEqual(["1", undefined, "12"]);
      expect(await snapshot.getEntry("c")).toMatchObject({ sequence: version, revision: 2 });
      expect(await snapshot.getEntry("d")).toBeUndefined();
      const some = await Array.fromAsync(snapshot.scan({ gte: "b", reverse: true, limit: 1 }));
      expect(some.map(([key]) => text(key))).toEqual(["c"]);
      expect(await all(store)).toEqual(["a=2", "d=2"]);
    });

    test("several snapshots see each its own moment, whatever is done to the tables", async () => {
      const store = await fresh();
      const value = "x".repeat(500);
      const snapshots = [];
      for (let round = 0; round < 5; round++) {
        for (let i = 0; i < 50; i++) await store.put(`k${100 + i}`, `${round}${value}`);
        snapshots.push(await store.snapshot());
      }
      await store.deleteRange({ prefix: "k" });
      for (const [round, snapshot] of snapshots.entries()) {
        const values = await Array.fromAsync(snapshot.scan(), ([, bytes]) => text(bytes)?.[0]);
        expect(values).toEqual(new Array(50).fill(`${round}`));
        await snapshot.close();
      }
    });

    test("a scan that was begun goes on when its snapshot is closed", async () => {
      const store = await fresh();
      for (let i = 0; i < 50; i++) await store.put(`k${100 + i}`, "x".repeat(20_000));
      const snapshot = await store.snapshot();
      const scan = snapshot.scan();
      const [first] = await scan.nextMany(1);
      await snapshot.close();
      await store.deleteRange({ prefix: "k" });
      const rest = await Array.fromAsync(scan);
      expect(text(first?.[0])).toBe("k100");
      expect(rest.length).toBe(49);
    });

    test("CLOSED: a closed snapshot is not read, and closing it again is fine", async () => {
      const store = await fresh();
      const snapshot = await store.snapshot();
      await snapshot.close();
      await snapshot.close();
      const closed = { name: "VarveError", code: "CLOSED" };
      await expect(snapshot.get("k")).rejects.toMatchObject(closed);
      await expect(snapshot.getEntry("k")).rejects.toMatchObject(closed);
      await expect(snapshot.getMany(["k"])).rejects.toMatchObject(closed);
      expect(() => snapshot.scan()).toThrow(expect.objectContaining(closed));
    });

    test("a snapshot outlives its store without harm", async () => {
      const store = await fresh();
      const snapshot = await store.snapshot();
      await store.close();
      await expect(snapshot.get("k")).rejects.toMatchObject({ code: "CLOSED" });
      await snapshot.close();
    });

    test("wrong arguments are refused as the store refuses them", async () => {
      const store = await fresh();
      await using snapshot = await store.snapshot();
      await expect(snapshot.get("")).rejects.toMatchObject({ code: "KEY_EMPTY" });
      await expect(snapshot.getEntry(bad(7))).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      await expect(snapshot.getMany(bad("k"))).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      for (const options of [{ limit: -1 }, { at: 1 }]) {
        expect(() => snapshot.scan(options)).toThrow(
          expect.objectContaining({ code: "INVALID_ARGUMENT" }),
        );
      }
    });
  });
}
