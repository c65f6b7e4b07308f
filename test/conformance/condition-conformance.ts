/** What every store promises about conditions. */
import { describe, expect, test } from "vitest";
import type { Condition, KeyCondition, Store } from "../../src/store.ts";
import { bad, entriesOf, freshOf, type OpenStore, put, text } from "./opened-store.ts";

/** Fails unless the call fails with this key and the sequence of its present entry. */
async function expectConflict(
  call: Promise<unknown>,
  key: string,
  sequence: number | undefined,
): Promise<void> {
  const error = await call.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toMatchObject({
    name: "VarveError",
    code: "CONDITION_FAILED",
    retryable: false,
    maybeApplied: false,
  });
  expect(text(error.key)).toBe(key);
  expect(error.sequence).toBe(sequence);
}

async function sequenceOf(store: Store, key: string): Promise<number> {
  return (await store.getEntry(key))?.sequence ?? 0;
}

export function conditionConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);

  describe(`${name}: conditions`, () => {
    test("absent lets one put through, and none after it", async () => {
      const store = await fresh();
      const { version } = await store.put("k", "1", { if: { absent: true } });
      await expectConflict(store.put("k", "2", { if: { absent: true } }), "k", version);
      expect(await entriesOf(store)).toEqual({ k: "1" });
      await store.delete("k");
      await store.put("k", "3", { if: { absent: true } });
      expect(await entriesOf(store)).toEqual({ k: "3" });
    });

    test("present lets a put through where there is an entry, an empty one too", async () => {
      const store = await fresh();
      await expectConflict(store.put("k", "1", { if: { present: true } }), "k", undefined);
      expect(await entriesOf(store)).toEqual({});
      await store.put("k", "");
      await store.put("k", "2", { if: { present: true } });
      expect(await entriesOf(store)).toEqual({ k: "2" });
      await store.delete("k");
      await expectConflict(store.put("k", "3", { if: { present: true } }), "k", undefined);
      expect(await entriesOf(store)).toEqual({});
    });

    test("a sequence lets a put through as long as the entry is the one that was read", async () => {
      const store = await fresh();
      const first = await store.put("k", "1");
      await store.put("other", "1");
      expect(await sequenceOf(store, "k")).toBe(first.version);
      const second = await store.put("k", "2", { if: { sequence: first.version } });
      const stale = { if: { sequence: first.version } };
      await expectConflict(store.put("k", "3", stale), "k", second.version);
      expect(await entriesOf(store)).toEqual({ k: "2", other: "1" });
      await store.delete("k");
      await expectConflict(store.put("k", "4", stale), "k", undefined);
      await expectConflict(store.put("k", "4", { if: { sequence: 0 } }), "k", undefined);
    });

    test("a delete takes the same conditions", async () => {
      const store = await fresh();
      await expectConflict(store.delete("k", { if: { present: true } }), "k", undefined);
      await store.delete("k", { if: { absent: true } });
      const { version } = await store.put("k", "1");
      await expectConflict(store.delete("k", { if: { absent: true } }), "k", version);
      await expectConflict(store.delete("k", { if: { sequence: version + 1 } }), "k", version);
      expect(await entriesOf(store)).toEqual({ k: "1" });
      await store.delete("k", { if: { sequence: version } });
      expect(await entriesOf(store)).toEqual({});
    });

    test("a list of conditions is about any keys, and all must hold", async () => {
      const store = await fresh();
      const lock = await store.put("lock", "mine");
      const conditions: KeyCondition[] = [
        { key: "lock", sequence: lock.version },
        { key: "k", absent: true },
        { key: new TextEncoder().encode("lock"), present: true },
      ];
      const { version } = await store.put("k", "1", { if: conditions });
      await expectConflict(store.put("k", "2", { if: conditions }), "k", version);
      const unmet: KeyCondition[] = [
        { key: "k", present: true },
        { key: "none", present: true },
      ];
      await expectConflict(store.delete("k", { if: unmet }), "none", undefined);
      const taken = await store.put("lock", "another's");
      const held: KeyCondition[] = [{ key: "lock", sequence: lock.version }];
      await expectConflict(store.delete("k", { if: held }), "lock", taken.version);
      expect(await entriesOf(store)).toEqual({ k: "1", lock: "another's" });
    });

    test("a list without conditions asks for nothing", async () => {
      const store = await fresh();
      await store.put("k", "1", { if: [] });
      await store.batch([put("l", "1")], { if: [] });
      await store.delete("k", { if: [] });
      expect(await entriesOf(store)).toEqual({ l: "1" });
    });

    test("a batch whose conditions do not all hold writes nothing of it", async () => {
      const store = await fresh();
      const { version } = await store.batch([put("a", "1"), put("b", "1")]);
      const operations = [put("a", "2"), { type: "delete", key: "b" } as const, put("c", "2")];
      const a = { key: "a", sequence: version - 1 };
      const b = { key: "b", sequence: version };
      await expectConflict(
        store.batch(operations, { if: [a, b, { key: "c", present: true }] }),
        "c",
        undefined,
      );
      await expectConflict(
        store.batch(operations, { if: [a, { key: "b", sequence: version - 1 }] }),
        "b",
        version,
      );
      expect(await entriesOf(store)).toEqual({ a: "1", b: "1" });
      await store.batch(operations, { if: [a, b, { key: "c", absent: true }] });
      expect(await entriesOf(store)).toEqual({ a: "2", c: "2" });
    });

    test("a batch's conditions are about what was there before it", async () => {
      const store = await fresh();
      await store.batch([put("k", "1"), put("k", "2")], { if: [{ key: "k", absent: true }] });
      await store.batch([{ type: "delete", key: "k" }, put("k", "3")], {
        if: [{ key: "k", present: true }],
      });
      expect(await entriesOf(store)).toEqual({ k: "3" });
    });

    test("conditions hold against entries wherever they are by then", async () => {
      const store = await fresh();
      const keys = Array.from({ length: 300 }, (_, i) => `k${1000 + i}`);
      const versions = new Map<string, number>();
      for (const key of keys) {
        versions.set(key, (await store.put(key, "x".repeat(100))).version);
      }
      for (const key of keys) {
        const present = versions.get(key) ?? 0;
        await expectConflict(store.put(key, "y", { if: { absent: true } }), key, present);
        await store.put(key, "y", { if: { sequence: present } });
      }
      expect(new Set(Object.values(await entriesOf(store)))).toEqual(new Set(["y"]));
    });

    test("of many that want a key to be absent at one time, one gets it", async () => {
      const store = await fresh();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 100 }, (_, i) => store.put("k", `${i}`, { if: { absent: true } })),
      );
      const winners = outcomes.flatMap(({ status }, i) => (status === "fulfilled" ? [i] : []));
      expect(winners).toHaveLength(1);
      expect(await entriesOf(store)).toEqual({ k: `${winners[0]}` });
      const winner = await sequenceOf(store, "k");
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") expect(outcome.value.version).toBe(winner);
        else expect(outcome.reason).toMatchObject({ code: "CONDITION_FAILED", sequence: winner });
      }
    });

    test("of many that read, change and write at one time, none overwrites another's change", async () => {
      const store = await fresh();
      await store.put("sum", "0");
      const add = async () => {
        for (;;) {
          const entry = await store.getEntry("sum");
          const sequence = entry?.sequence ?? 0;
          try {
            await store.put("sum", String(Number(text(entry?.value)) + 1), { if: { sequence } });
            return;
          } catch (error) {
            expect(error).toMatchObject({ code: "CONDITION_FAILED" });
          }
        }
      };
      await Promise.all(Array.from({ length: 25 }, add));
      expect(text(await store.get("sum"))).toBe("25");
    });

    test("the keys of conditions may be changed once the call has returned", async () => {
      const store = await fresh();
      const { version } = await store.put("k", "1");
      const key = new TextEncoder().encode("k");
      const holds = store.put("l", "1", { if: [{ key, sequence: version }] });
      const fails = store.put("m", "1", { if: [{ key, absent: true }] });
      key.fill(0);
      await holds;
      await expectConflict(fails, "k", version);
      expect(await entriesOf(store)).toEqual({ k: "1", l: "1" });
    });

    test("conditions and a durability go together", async () => {
      const store = await fresh();
      await store.put("k", "1", { if: { absent: true }, durability: "none" });
      await store.delete("k", { if: { present: true }, durability: "always" });
      expect(await entriesOf(store)).toEqual({});
    });

    test.each<[code: string, what: string, condition: unknown]>([
      ["INVALID_ARGUMENT", "none of the three", {}],
      ["INVALID_ARGUMENT", "two of the three", { absent: true, sequence: 1 }],
      ["INVALID_ARGUMENT", "absent: false", { absent: false }],
      ["INVALID_ARGUMENT", "present: 1", { present: 1 }],
      ["INVALID_ARGUMENT", "a sequence below 0", { sequence: -1 }],
      ["INVALID_ARGUMENT", "a sequence between two", { sequence: 1.5 }],
      ["INVALID_ARGUMENT", "a sequence beyond 2^53", { sequence: 2 ** 53 }],
      ["INVALID_ARGUMENT", "a sequence that is text", { sequence: "1" }],
      ["INVALID_ARGUMENT", "null", null],
      ["INVALID_ARGUMENT", "true", true],
      ["INVALID_ARGUMENT", "a list with null", [null]],
      ["INVALID_ARGUMENT", "a list whose condition has no key", [{ absent: true }]],
      ["INVALID_ARGUMENT", "a list whose condition is empty", [{ key: "k" }]],
      ["KEY_EMPTY", "a list with an empty key", [{ key: "", absent: true }]],
      ["KEY_TOO_LARGE", "a list with a long key", [{ key: "k".repeat(65_537), absent: true }]],
    ])("%s: a condition that is %s, and nothing is written", async (code, _what, condition) => {
      const store = await fresh();
      await store.put("there", "1");
      const options = { if: bad<Condition>(condition) };
      const list = { if: bad<KeyCondition[]>(Array.isArray(condition) ? condition : [condition]) };
      const calls = [
        () => store.put("k", "1", options),
        () => store.delete("there", options),
        () => store.batch([put("k", "1")], list),
      ];
      for (const call of calls) {
        await expect((async () => call())()).rejects.toMatchObject({ name: "VarveError", code });
      }
      expect(await entriesOf(store)).toEqual({ there: "1" });
    });

    test("INVALID_ARGUMENT: a batch's single condition, which is about no key", async () => {
      const store = await fresh();
      const options = { if: bad<KeyCondition[]>({ absent: true }) };
      await expect((async () => store.batch([put("k", "1")], options))()).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
      expect(await entriesOf(store)).toEqual({});
    });
  });
}
