/** What every store promises about transactions. */
import { describe, expect, test } from "vitest";
import type { Reader, ScanOptions, Store, Transaction } from "../../src/store.ts";
import { decodeCounter, encodeCounter } from "../../src/store.ts";
import { bad, entriesOf, freshOf, type OpenStore, put, text } from "./opened-store.ts";

const CONFLICT = { name: "VarveError", code: "CONFLICT", retryable: true };
const ONCE = { retries: 0 };

async function shown(reader: Reader, options?: ScanOptions): Promise<string> {
  const entries = await Array.fromAsync(reader.scan(options));
  return entries.map(([key, value]) => `${text(key)}=${text(value)}`).join(" ");
}

/** Reads in a transaction, lets `other` be done, and writes: whether that was in the way. */
async function isDisturbed(
  store: Store,
  read: (tx: Transaction) => Promise<unknown>,
  other: (store: Store) => Promise<unknown>,
): Promise<boolean> {
  const attempt = store.transaction(async (tx) => {
    await read(tx);
    await other(store);
    tx.put("~result", "1");
  }, ONCE);
  return attempt.then(
    () => false,
    (error) => {
      expect(error).toMatchObject(CONFLICT);
      return true;
    },
  );
}

export function transactionConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);
  const filled = async () => {
    const store = await fresh();
    await store.batch(["a", "b", "c", "d", "e"].map((key) => put(key, "1")));
    return store;
  };

  describe(`${name}: transactions`, () => {
    test("the writes are one batch, and the result is what the function returned", async () => {
      const store = await filled();
      const result = await store.transaction(async (tx) => {
        tx.put("a", `${text(await tx.get("b"))}2`);
        tx.delete("b");
        tx.deleteRange({ gte: "d" });
        tx.merge("c", "append", "2");
        expect(await entriesOf(store)).toMatchObject({ a: "1", b: "1" });
        return 42;
      });
      expect(result).toBe(42);
      expect(await entriesOf(store)).toEqual({ a: "12", c: "12" });
    });

    test("reads see one moment, whatever is written meanwhile", async () => {
      const store = await filled();
      const seen = await store.transaction(async (tx) => {
        const first = text(await tx.get("a"));
        await store.batch([put("a", "2"), put("b", "2"), put("f", "2")]);
        return [first, text(await tx.get("b")), await shown(tx), await tx.get("f")];
      });
      expect(seen).toEqual(["1", "1", "a=1 b=1 c=1 d=1 e=1", undefined]);
    });

    test("reads see the transaction's own writes", async () => {
      const store = await filled();
      await store.transaction(async (tx) => {
        tx.put("a", "2");
        tx.put("bb", "2");
        tx.delete("c");
        tx.merge("d", "append", "x");
        tx.merge("d", "append", "y");
        expect(text(await tx.get("a"))).toBe("2");
        expect(await tx.get("c")).toBeUndefined();
        expect((await tx.getMany(["c", "d", "bb", "e"])).map(text)).toEqual([
          undefined,
          "1xy",
          "2",
          "1",
        ]);
        expect(await shown(tx)).toBe("a=2 b=1 bb=2 d=1xy e=1");
        expect(await shown(tx, { reverse: true, limit: 3 })).toBe("e=1 d=1xy bb=2");
        expect(await shown(tx, { gt: "a", lt: "d", limit: 5 })).toBe("b=1 bb=2");
        tx.deleteRange({ gte: "b", lt: "e" });
        expect(await shown(tx)).toBe("a=2 e=1");
        tx.put("c", "3");
        tx.merge("d", "append", "z");
        expect(await shown(tx, { limit: 3 })).toBe("a=2 c=3 d=z");
        expect(text(await tx.get("d"))).toBe("z");
        tx.put("x", "gone", { expiresAt: 1 });
        expect(await tx.get("x")).toBeUndefined();
      });
      expect(await shown(store)).toBe("a=2 c=3 d=z e=1");
    });

    test("a scan sees what was written before it was made, and later writes do not move it", async () => {
      const store = await filled();
      await store.transaction(async (tx) => {
        tx.delete("b");
        const scan = tx.scan();
        expect(text((await scan.next()).value?.[0])).toBe("a");
        tx.deleteRange({ gte: "" });
        tx.put("cc", "2");
        expect((await scan.nextMany(2)).map(([key]) => text(key))).toEqual(["c", "d"]);
        const [first, second] = await Promise.all([scan.next(), scan.next()]);
        expect([text(first.value?.[0]), second.done]).toEqual(["e", true]);
        expect(await shown(tx)).toBe("cc=2");
      });
      expect(await shown(store)).toBe("cc=2");
    });

    test("an entry's record tells of the writes before, and of the transaction's own", async () => {
      const store = await filled();
      const { version } = await store.put("a", "2");
      await store.transaction(async (tx) => {
        expect(await tx.getEntry("a")).toMatchObject({ sequence: version, revision: 2 });
        tx.put("a", "3", { ttlMs: 1e9 });
        const entry = await tx.getEntry("a");
        expect(entry).toMatchObject({ sequence: 0, revision: 3 });
        expect(entry?.expiresAt).toBeGreaterThan(1e12);
        tx.delete("a");
        expect(await tx.getEntry("a")).toBeUndefined();
        tx.put("a", "4");
        expect(await tx.getEntry("a")).toMatchObject({ sequence: 0, revision: 1 });
        expect(await tx.getEntry("none")).toBeUndefined();
      });
      expect(await store.getEntry("a")).toMatchObject({ revision: 1 });
    });

    test("increment tells the sum, keeps the expiry, and fails as the store's does", async () => {
      const store = await fresh();
      await store.put("n", encodeCounter(40), { ttlMs: 1e9 });
      await store.put("text", "abc");
      await store.put("max", encodeCounter(2n ** 63n - 1n));
      const sums = await store.transaction(async (tx) => {
        await expect(tx.increment("text")).rejects.toMatchObject({ code: "NOT_A_COUNTER" });
        await expect(tx.increment("max")).rejects.toMatchObject({ code: "COUNTER_OVERFLOW" });
        await expect(tx.increment("n", 1.5)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
        return Promise.all([tx.increment("n"), tx.increment("n"), tx.increment("m", -5n)]);
      });
      expect(sums).toEqual([41n, 42n, -5n]);
      expect(decodeCounter((await store.get("n")) as Uint8Array)).toBe(42n);
      expect((await store.getEntry("n"))?.expiresAt).toBeDefined();
    });

    test.each<[string, (tx: Transaction) => Promise<unknown>]>([
      ["get", (tx) => tx.get("b")],
      ["get of an absent key", (tx) => tx.get("bb")],
      ["getEntry", (tx) => tx.getEntry("b")],
      ["getMany", (tx) => tx.getMany(["a", "b"])],
      ["increment", (tx) => tx.increment("bb")],
      ["scan", (tx) => shown(tx)],
      ["scan of a part", (tx) => shown(tx, { gt: "a", lt: "c" })],
      ["scan backwards", (tx) => shown(tx, { reverse: true, lte: "c", limit: 2 })],
      ["scan up to a limit", (tx) => shown(tx, { gte: "b", limit: 2 })],
      ["scan that was left", async (tx) => tx.scan({ gte: "b" }).nextMany(2)],
    ])("what was read by %s must not be written before the commit", async (_what, read) => {
      const changes: ((store: Store) => Promise<unknown>)[] = [
        (store) => store.batch([put("b", "2"), put("bb", "2")]),
        (store) => store.deleteRange({ gte: "b", lt: "c" }),
        (store) => store.merge("b", "append", "2").then(() => store.merge("bb", "append", "2")),
        (store) =>
          store.transaction((tx) => {
            tx.put("b", "2");
            tx.put("bb", "2");
          }),
      ];
      for (const change of changes) {
        const store = await filled();
        expect(await isDisturbed(store, read, change)).toBe(true);
        expect(await store.get("~result")).toBeUndefined();
      }
      const store = await filled();
      const beside = () => store.batch([put("d", "2"), put("f", "2")]);
      const all = _what === "scan";
      expect(await isDisturbed(store, read, beside)).toBe(all);
    });

    test("a scan counts as far as it was read", async () => {
      const disturbed = async (other: string) => {
        const store = await filled();
        const read = async (tx: Transaction) => {
          const scan = tx.scan();
          await scan.nextMany(3);
        };
        return isDisturbed(store, read, () => store.put(other, "2"));
      };
      expect(await disturbed("aa")).toBe(true);
      expect(await disturbed("c")).toBe(true);
      expect(await disturbed("cc")).toBe(false);
      expect(await disturbed("d")).toBe(false);
    });

    test("of two that read what the other writes, one starts again (write skew)", async () => {
      const store = await fresh();
      await store.batch([put("doctor:1", "on"), put("doctor:2", "on")]);
      const leave = (doctor: string) =>
        store.transaction(async (tx) => {
          const onCall = await Array.fromAsync(tx.scan({ prefix: "doctor:" }));
          if (onCall.filter(([, value]) => text(value) === "on").length > 1) tx.put(doctor, "off");
        });
      await Promise.all([leave("doctor:1"), leave("doctor:2")]);
      expect(Object.values(await entriesOf(store)).sort()).toEqual(["off", "on"]);
    });

    test("many that read, change and write one key at one time lose nothing", async () => {
      const store = await fresh();
      const add = () =>
        store.transaction(
          async (tx) => tx.put("sum", `${Number(text(await tx.get("sum")) ?? "0") + 1}`),
          { retries: 1000, backoffMs: () => 0 },
        );
      await Promise.all(Array.from({ length: 20 }, add));
      expect(await entriesOf(store)).toEqual({ sum: "20" });
    });

    test("blind writes are in nobody's way", async () => {
      const store = await fresh();
      const write = (i: number) =>
        store.transaction((tx) => {
          tx.put("last", `${i}`);
          tx.merge("sum", "add", 1);
        }, ONCE);
      await Promise.all(Array.from({ length: 50 }, (_, i) => write(i)));
      expect(decodeCounter((await store.get("sum")) as Uint8Array)).toBe(50n);
    });

    test("CONFLICT after as many retries as were asked for, with the key; waits are asked for", async () => {
      const store = await filled();
      const waits: number[] = [];
      let runs = 0;
      const attempt = store.transaction(
        async (tx) => {
          runs++;
          await tx.get("a");
          await store.put("a", `${runs}`);
          tx.put("b", "2");
        },
        {
          retries: 3,
          backoffMs: (n) => {
            waits.push(n);
            return 0;
          },
        },
      );
      const error = await attempt.catch((reason) => reason);
      expect(error).toMatchObject(CONFLICT);
      expect(text(error.key)).toBe("a");
      expect([runs, waits]).toEqual([4, [1, 2, 3]]);
      expect(text(await store.get("b"))).toBe("1");
    });

    test("one that only reads is never in anybody's way, and nobody in its", async () => {
      const store = await filled();
      const seen = await store.transaction(async (tx) => {
        const before = await shown(tx);
        await store.deleteRange({ gte: "" });
        return [before, await shown(tx)];
      }, ONCE);
      expect(seen[0]).toBe(seen[1]);
    });

    test("what the function throws ends it, and nothing is written; a conflict of its own, too", async () => {
      const store = await filled();
      let runs = 0;
      const thrown = new Error("no");
      const failing = store.transaction((tx) => {
        tx.put("a", "2");
        throw thrown;
      });
      await expect(failing).rejects.toBe(thrown);
      const own = store.transaction(async (tx) => {
        runs++;
        tx.put("a", "2");
        await store.batch([put("b", "2")], { if: [{ key: "a", unchangedSince: 0 }] });
      });
      await expect(own).rejects.toMatchObject(CONFLICT);
      expect(runs).toBe(1);
      expect((await entriesOf(store)).a).toBe("1");
    });

    test("CLOSED: a transaction that is over is of no use", async () => {
      const store = await filled();
      let kept: Transaction | undefined;
      await store.transaction((tx) => {
        kept = tx;
      });
      const closed = { code: "CLOSED" };
      await expect(kept?.get("a")).rejects.toMatchObject(closed);
      expect(() => kept?.put("a", "2")).toThrow(expect.objectContaining(closed));
      expect(() => kept?.scan()).toThrow(expect.objectContaining(closed));
    });

    test.each<[string, string, (tx: Transaction) => unknown]>([
      ["KEY_EMPTY", "an empty key", (tx) => tx.put("", "1")],
      ["INVALID_ARGUMENT", "a key that is a number", (tx) => tx.get(bad(1))],
      ["INVALID_ARGUMENT", "a value that is a number", (tx) => tx.put("k", bad(1))],
      ["INVALID_ARGUMENT", "keys that are no list", (tx) => tx.getMany(bad("k"))],
      ["INVALID_ARGUMENT", "a range without bounds", (tx) => tx.deleteRange({})],
      ["INVALID_ARGUMENT", "an operator that is none", (tx) => tx.merge("k", bad("x"), 1)],
      ["INVALID_ARGUMENT", "a limit below 0", (tx) => tx.scan({ limit: -1 })],
      ["INVALID_ARGUMENT", "another moment", (tx) => tx.scan({ at: 1 })],
      ["INVALID_ARGUMENT", "two expiries", (tx) => tx.put("k", "v", { ttlMs: 1, expiresAt: 1 })],
      ["KEY_TOO_LARGE", "a long key", (tx) => tx.put("k".repeat(65_537), "v")],
    ])("%s: %s, and nothing is written", async (code, _what, act) => {
      const store = await fresh();
      const attempt = store.transaction(async (tx) => {
        tx.put("fine", "1");
        await act(tx);
      });
      await expect(attempt).rejects.toMatchObject({ name: "VarveError", code });
      expect(await entriesOf(store)).toEqual({});
    });

    test("INVALID_ARGUMENT: wrong options, and no function", async () => {
      const store = await fresh();
      const wrong = { code: "INVALID_ARGUMENT" };
      const nothing = () => undefined;
      await expect(store.transaction(bad(1))).rejects.toMatchObject(wrong);
      await expect(store.transaction(nothing, { retries: -1 })).rejects.toMatchObject(wrong);
      await expect(store.transaction(nothing, { backoffMs: bad(1) })).rejects.toMatchObject(wrong);
    });
  });
}
