/** Deleted ranges, as every store must have them. */
import { describe, expect, test } from "vitest";
import type { KeyRange, Store } from "../../src/store.ts";
import { Random, seeds } from "../support/random.ts";
import { freshOf, keysOf, type OpenStore, text } from "./opened-store.ts";

const LETTERS = [..."abcdefgh"];

async function fill(store: Store): Promise<void> {
  await store.batch(LETTERS.map((key) => ({ type: "put", key, value: key })));
}

export function rangeConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);

  describe(`${name}: deleted ranges`, () => {
    test.each<[left: string, range: KeyRange]>([
      ["abgh", { gte: "c", lt: "g" }],
      ["abcgh", { gt: "c", lt: "g" }],
      ["abh", { gte: "c", lte: "g" }],
      ["abcdefh", { prefix: "g" }],
      ["abc", { gt: "c" }],
      ["h", { lt: "h" }],
      ["", { gte: "" }],
      ["abcdefgh", { gte: "x" }],
      ["abcdefgh", { gte: "c", lt: "c" }],
      ["abcdefgh", { gte: "g", lt: "c" }],
      ["abcdfgh", { gte: "c", gt: "d", lte: "e", lt: "g" }],
    ])("leave %s", async (left, range) => {
      const store = await fresh();
      await fill(store);
      const { version } = await store.deleteRange(range);
      expect((await keysOf(store)).join("")).toBe(left);
      expect((await keysOf(store, { reverse: true })).toReversed().join("")).toBe(left);
      const values = await store.getMany(LETTERS);
      expect(LETTERS.filter((_, i) => values[i] !== undefined).join("")).toBe(left);
      for (const key of LETTERS) {
        expect((await store.getEntry(key)) !== undefined).toBe(left.includes(key));
      }
      expect((await store.put("after", "")).version).toBeGreaterThan(version);
    });

    test("what is written later stays, with a past of its own", async () => {
      const store = await fresh();
      await fill(store);
      await store.deleteRange({ gte: "a", lte: "d" });
      await store.put("b", "again");
      await store.merge("c", "append", "x");
      expect(await keysOf(store)).toEqual(["b", "c", "e", "f", "g", "h"]);
      expect(await store.getEntry("b")).toMatchObject({ revision: 1 });
      expect(text(await store.get("c"))).toBe("x");
    });

    test("in a batch they work in their place", async () => {
      const store = await fresh();
      await fill(store);
      const { version } = await store.batch([
        { type: "put", key: "b2", value: "" },
        { type: "deleteRange", prefix: "b" },
        { type: "put", key: "b3", value: "" },
        { type: "deleteRange", gte: "f" },
      ]);
      expect(await keysOf(store)).toEqual(["a", "b3", "c", "d", "e"]);
      expect((await store.getEntry("b3"))?.sequence).toBe(version - 1);
    });

    test("an open scan does not see them; conditions do", async () => {
      const store = await fresh();
      await fill(store);
      const scan = store.scan();
      expect(await scan.nextMany(1)).toHaveLength(1);
      await store.deleteRange({ gte: "" });
      expect(await Array.fromAsync(scan)).toHaveLength(LETTERS.length - 1);
      await store.put("c", "new", { if: { absent: true } });
      const refused = store.put("d", "new", { if: { present: true } });
      await expect(refused).rejects.toMatchObject({ code: "CONDITION_FAILED" });
    });

    test.each(seeds(6))(
      "many, among writes, are as if each key was deleted (seed %i)",
      async (seed) => {
        const store = await fresh();
        const random = new Random(seed);
        const model = new Set<string>();
        const keyOf = () => `k${String(random.below(300)).padStart(3, "0")}`;
        for (let i = 0; i < 400; i++) {
          if (random.chance(15)) {
            const [gte, lt] = [keyOf(), keyOf()].sort() as [string, string];
            const end = random.chance(70) ? `${gte}~` : lt;
            await store.deleteRange({ gte, lt: end }, { durability: "none" });
            for (const key of model) if (key >= gte && key < end) model.delete(key);
          } else {
            const key = keyOf();
            await store.put(key, "x".repeat(random.below(80)), { durability: "none" });
            model.add(key);
          }
        }
        expect(await keysOf(store)).toEqual([...model].sort());
        expect(await keysOf(store, { reverse: true })).toEqual([...model].sort().reverse());
      },
    );

    test("a range without bounds, or with wrong ones, is INVALID_ARGUMENT", async () => {
      const store = await fresh();
      await fill(store);
      for (const range of [{}, null, 7, { gte: 7 }, { limit: 3 }]) {
        const call = async () => store.deleteRange(range as KeyRange);
        await expect(call()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
        const batch = async () =>
          store.batch([{ type: "deleteRange", ...(range as KeyRange | null) }]);
        await expect(batch()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      }
      expect(await keysOf(store)).toEqual(LETTERS);
    });
  });
}
