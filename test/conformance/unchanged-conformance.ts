/** What every store promises about conditions that nothing was written since a sequence. */
import { describe, expect, test } from "vitest";
import type { Store, WriteCondition } from "../../src/store.ts";
import { bad, entriesOf, freshOf, type OpenStore, put, text } from "./opened-store.ts";

const mark: Parameters<Store["batch"]>[0] = [put("~mark", "1")];

/** The sequence of now. */
async function now(store: Store): Promise<number> {
  await using snapshot = await store.snapshot();
  return snapshot.sequence;
}

/** Whether a write under the condition is made; fails where it fails with anything but CONFLICT. */
async function holds(store: Store, condition: WriteCondition): Promise<boolean> {
  try {
    await store.batch(mark, { if: [condition] });
    return true;
  } catch (error) {
    expect(error).toMatchObject({ name: "VarveError", code: "CONFLICT", retryable: true });
    return false;
  }
}

type Change = readonly [what: string, act: (store: Store) => Promise<unknown>];

const CHANGES: readonly Change[] = [
  ["a put", (store) => store.put("k5", "2")],
  ["a put of the same value", (store) => store.put("k5", "1")],
  ["a delete", (store) => store.delete("k5")],
  ["a delete of a range around it", (store) => store.deleteRange({ gte: "k3", lt: "k8" })],
  ["a merge", (store) => store.merge("k5", "append", "2")],
  ["an expiry", (store) => store.expire("k5", { ttlMs: 1e9 })],
  ["a batch", (store) => store.batch([put("a", "1"), put("k5", "2"), put("z", "1")])],
];

export function unchangedConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);
  /** With k0 to k9, and an open snapshot so that nothing is forgotten. */
  const filled = async () => {
    const store = await fresh();
    await store.batch(Array.from({ length: 10 }, (_, i) => put(`k${i}`, "1")));
    return store;
  };

  describe(`${name}: unchangedSince`, () => {
    test.each(CHANGES)("a key is changed by %s, and by nothing else", async (_what, act) => {
      const store = await filled();
      const unchangedSince = await now(store);
      await store.put("k4", "2");
      await store.put("k50", "2");
      expect(await holds(store, { key: "k5", unchangedSince })).toBe(true);
      expect(await holds(store, { key: "k5", unchangedSince, present: true })).toBe(true);
      await act(store);
      expect(await holds(store, { key: "k5", unchangedSince })).toBe(false);
      expect(await holds(store, { key: "k5", unchangedSince: await now(store) })).toBe(true);
    });

    test.each(CHANGES)("a range is changed by %s in it", async (_what, act) => {
      const store = await filled();
      await using snapshot = await store.snapshot();
      const unchangedSince = snapshot.sequence;
      await act(store);
      for (const range of [
        { gte: "k5", lte: "k5" },
        { prefix: "k5" },
        { gt: "k4", lt: "k6" },
        { gte: "k" },
        { lt: "k6" },
        {},
      ]) {
        expect(await holds(store, { range, unchangedSince })).toBe(false);
      }
    });

    test("a range is not changed by what is beside it", async () => {
      const store = await filled();
      const unchangedSince = await now(store);
      await store.batch([put("k4", "2"), put("k6", "2"), put("k", "1"), put("l", "1")]);
      await store.deleteRange({ gte: "k6", lt: "k9" });
      await store.deleteRange({ lt: "k4" });
      for (const range of [
        { gte: "k5", lt: "k6" },
        { prefix: "k5" },
        { gt: "k4", lt: "k6", prefix: "k" },
        { gt: "k9", lt: "k91" },
        { gte: "z", lt: "a" },
      ]) {
        expect(await holds(store, { range, unchangedSince })).toBe(true);
      }
    });

    test("a key that came and went since is changed, and one that never was is not", async () => {
      const store = await filled();
      await using snapshot = await store.snapshot();
      const unchangedSince = snapshot.sequence;
      await store.put("new", "1");
      await store.delete("new");
      expect(await holds(store, { key: "new", unchangedSince })).toBe(false);
      expect(await holds(store, { key: "never", unchangedSince })).toBe(true);
      expect(await holds(store, { key: "never", unchangedSince, present: true })).toBe(false);
    });

    test("nothing of a batch is written where one condition does not hold, and the key is told", async () => {
      const store = await filled();
      const unchangedSince = await now(store);
      const { version } = await store.put("k5", "2");
      const operations = [put("k1", "2"), put("k2", "2")];
      const conditions = [
        { key: "k1", unchangedSince },
        { key: "k5", unchangedSince },
      ];
      const failed = await store.batch(operations, { if: conditions }).catch((error) => error);
      expect(failed).toMatchObject({ code: "CONFLICT", sequence: version, maybeApplied: false });
      expect(text(failed.key)).toBe("k5");
      expect((await entriesOf(store)).k1).toBe("1");
      const both = [{ key: "k1", unchangedSince }, { key: "k5", present: true } as const];
      await store.batch(operations, { if: both });
      expect((await entriesOf(store)).k1).toBe("2");
    });

    test("put and delete take such conditions in a list", async () => {
      const store = await filled();
      const unchangedSince = await now(store);
      await store.put("k1", "2", { if: [{ key: "k1", unchangedSince }] });
      const range = { prefix: "k1" };
      await expect(store.delete("k2", { if: [{ range, unchangedSince }] })).rejects.toMatchObject({
        code: "CONFLICT",
      });
      await store.delete("k2", { if: [{ key: "k2", unchangedSince }] });
      expect(await store.get("k2")).toBeUndefined();
    });

    test("of many that change what they read at one time, one does", async () => {
      const store = await filled();
      const unchangedSince = await now(store);
      const range = { gte: "k3", lt: "k5" };
      const outcomes = await Promise.allSettled(
        Array.from({ length: 50 }, (_, i) =>
          store.batch([put("k4", `${i}`)], { if: [{ range, unchangedSince }] }),
        ),
      );
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    });

    test.each<[what: string, condition: unknown]>([
      ["a sequence below 0", { key: "k", unchangedSince: -1 }],
      ["a sequence that is text", { key: "k", unchangedSince: "1" }],
      ["absent beside it", { key: "k", unchangedSince: 1, absent: true }],
      ["a sequence beside it", { key: "k", unchangedSince: 1, sequence: 1 }],
      ["present: false", { key: "k", unchangedSince: 1, present: false }],
      ["a range without it", { range: { gte: "k" } }],
      ["a range and a key", { range: { gte: "k" }, key: "k", unchangedSince: 1 }],
      ["a range and present", { range: { gte: "k" }, present: true, unchangedSince: 1 }],
      ["a range that is text", { range: "k", unchangedSince: 1 }],
      ["a bound that is a number", { range: { gte: 1 }, unchangedSince: 1 }],
      ["neither key nor range", { unchangedSince: 1 }],
    ])("INVALID_ARGUMENT: %s", async (_what, condition) => {
      const store = await fresh();
      const list = { if: bad<WriteCondition[]>([condition]) };
      await expect((async () => store.batch(mark, list))()).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
      expect(await entriesOf(store)).toEqual({});
    });
  });
}
