/** What every store promises about ingests. */
import { describe, expect, test } from "vitest";
import type { Pair, Pairs, WatchEvent } from "../../src/store.ts";
import { bad, entriesOf, freshOf, keysOf, type OpenStore, put, text } from "./opened-store.ts";

const keyOf = (i: number) => `k${String(i).padStart(6, "0")}`;

function pairsOf(count: number, value = "v"): Pair[] {
  return Array.from({ length: count }, (_, i): Pair => [keyOf(i), `${value}${i}`]);
}

async function* later(items: Pairs): AsyncGenerator<Pair | readonly Pair[]> {
  yield* items;
}

/** Until it is said to fail, or for good. */
function hanging(pairs: readonly Pair[]) {
  const { promise, reject } = Promise.withResolvers<never>();
  async function* source(): AsyncGenerator<readonly Pair[]> {
    yield pairs;
    await promise;
  }
  promise.catch(() => {});
  return { source: source(), fail: reject };
}

export function ingestConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);

  describe(`${name}: ingests`, () => {
    test("all pairs are there when it resolves, with one sequence, above all before", async () => {
      const store = await fresh();
      const before = await store.put(keyOf(5), "before");
      const { version } = await store.ingest(pairsOf(2000));
      expect(version).toBeGreaterThan(before.version);
      expect(Object.entries(await entriesOf(store))).toEqual(pairsOf(2000));
      expect(await store.getEntry(keyOf(5))).toMatchObject({ sequence: version, revision: 2 });
      expect(await store.getEntry(keyOf(6))).toMatchObject({ sequence: version, revision: 1 });
      const after = await store.put(keyOf(7), "after");
      expect(after.version).toBeGreaterThan(version);
      expect(text(await store.get(keyOf(7)))).toBe("after");
    });

    test("pairs come singly or as arrays, at once or by and by, as strings or bytes", async () => {
      const store = await fresh();
      const pairs = pairsOf(300);
      const expected = Object.fromEntries(pairs);
      await store.ingest(later([pairs.slice(0, 100), [], ...pairs.slice(100)]));
      expect(await entriesOf(store)).toEqual(expected);
      const bytes = (data: string) => new TextEncoder().encode(data);
      await store.ingest(
        pairs.map(([key, value]): Pair => [bytes(String(key)), bytes(`${value}!`)]),
      );
      expect(text(await store.get(keyOf(299)))).toBe("v299!");
      await store.ingest(
        new Map([
          ["x", "1"],
          ["y", "2"],
        ]),
      );
      expect(text(await store.get("y"))).toBe("2");
    });

    test("the arrays may be used again as soon as they were taken", async () => {
      const store = await fresh();
      const key = new Uint8Array(1);
      const value = new Uint8Array(1);
      function* source(): Generator<Pair> {
        for (let i = 0; i < 256; i++) {
          key[0] = i;
          value[0] = 255 - i;
          yield [key, value];
        }
      }
      await store.ingest(source());
      expect(await store.get(Uint8Array.of(7))).toEqual(Uint8Array.of(248));
    });

    test("large and empty values pass", async () => {
      const store = await fresh();
      const value = new Uint8Array(3_000_000).fill(7);
      await store.ingest([
        ["a", value],
        ["b", ""],
        ["c", value],
      ]);
      expect((await store.get("c"))?.length).toBe(value.length);
      expect(await store.get("b")).toEqual(new Uint8Array());
    });

    test("an ingest of nothing tells where the store is", async () => {
      const store = await fresh();
      const { version } = await store.put("a", "1");
      expect(await store.ingest([])).toEqual({ version });
      expect(await store.ingest(later([[]]))).toEqual({ version });
    });

    test.each([
      ["again", ["a", "b", "b"]],
      ["out of order", ["a", "c", "b"]],
    ])("a key that comes %s fails it with its place, and nothing is written", async (_, keys) => {
      const store = await fresh();
      await store.put("z", "1");
      const ingest = store.ingest(keys.map((key): Pair => [key, "1"]));
      await expect(ingest).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining("pair 2 "),
      });
      expect(await keysOf(store)).toEqual(["z"]);
      await store.ingest([["b", "1"]]);
      expect(await keysOf(store)).toEqual(["b", "z"]);
    });

    test("what is no pair, no source or no option is refused", async () => {
      const store = await fresh();
      const refused = async (pairs: unknown, code: string, options?: object) =>
        await expect(store.ingest(bad(pairs), options)).rejects.toMatchObject({ code });
      await refused(undefined, "INVALID_ARGUMENT");
      await refused("text", "INVALID_ARGUMENT");
      await refused([["a"]], "INVALID_ARGUMENT");
      await refused([["a", "1"], null], "INVALID_ARGUMENT");
      await refused([["a", 5]], "INVALID_ARGUMENT");
      await refused([["", "1"]], "KEY_EMPTY");
      await refused([["k".repeat(70_000), "1"]], "KEY_TOO_LARGE");
      await refused([["a", new Uint8Array(17_000_000)]], "VALUE_TOO_LARGE");
      await refused([["a", "1"]], "INVALID_ARGUMENT", { ttlMs: -1 });
      await refused([["a", "1"]], "INVALID_ARGUMENT", { ttlMs: 1, expiresAt: 1 });
      await refused([["a", "1"]], "INVALID_ARGUMENT", { signal: "no" });
      expect(await keysOf(store)).toEqual([]);
    });

    test("a source that fails leaves nothing", async () => {
      const store = await fresh();
      const { source, fail } = hanging(pairsOf(100));
      const ingest = store.ingest(source);
      fail(new Error("the source failed"));
      await expect(ingest).rejects.toThrow("the source failed");
      expect(await keysOf(store)).toEqual([]);
      await store.ingest([["a", "1"]]);
      expect(await keysOf(store)).toEqual(["a"]);
    });

    test("a signal ends it, and another can begin", async () => {
      const store = await fresh();
      const control = new AbortController();
      const { source } = hanging(pairsOf(100));
      const ingest = store.ingest(source, { signal: control.signal });
      control.abort();
      await expect(ingest).rejects.toMatchObject({ code: "ABORTED" });
      const aborted = store.ingest([["a", "1"]], { signal: control.signal });
      await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
      await store.ingest([["b", "1"]]);
      expect(await keysOf(store)).toEqual(["b"]);
    });

    test("one runs at a time; another is told to wait", async () => {
      const store = await fresh();
      let begun = () => {};
      const isBegun = new Promise<void>((resolve) => {
        begun = resolve;
      });
      let end = () => {};
      const isEnded = new Promise<void>((resolve) => {
        end = resolve;
      });
      async function* slow(): AsyncGenerator<Pair> {
        yield ["a", "1"];
        begun();
        await isEnded;
      }
      const first = store.ingest(slow());
      await isBegun;
      await expect(store.ingest([["b", "1"]])).rejects.toMatchObject({
        code: "OVERLOADED",
        retryAfterMs: expect.any(Number),
      });
      end();
      await first;
      expect(await keysOf(store)).toEqual(["a"]);
    });

    test("entries expire together", async () => {
      const store = await fresh();
      await store.ingest(pairsOf(3), { ttlMs: 3_600_000 });
      const entry = await store.getEntry(keyOf(1));
      expect(entry?.expiresAt).toBe((entry?.updatedAt ?? 0) + 3_600_000);
      await store.ingest([["x", "1"]], { expiresAt: 1 });
      expect(await store.get("x")).toBeUndefined();
    });

    test("what is written to the same keys meanwhile is older, in any number", async () => {
      const store = await fresh();
      const { promise: isBegun, resolve: begun } = Promise.withResolvers<void>();
      const { promise: isWritten, resolve: written } = Promise.withResolvers<void>();
      async function* slow(): AsyncGenerator<readonly Pair[]> {
        yield pairsOf(50, "ingested");
        begun();
        await isWritten;
        yield [["m", "ingested"]];
      }
      const ingest = store.ingest(slow());
      await isBegun;
      await store.put(keyOf(1), "meanwhile");
      await store.delete(keyOf(2));
      await store.deleteRange({ gte: "m" });
      await store.put("q", "meanwhile");
      expect(text(await store.get(keyOf(1)))).toBe("meanwhile");
      expect(await store.get(keyOf(3))).toBeUndefined();
      written();
      const { version } = await ingest;
      expect(text(await store.get(keyOf(1)))).toBe("ingested1");
      expect(text(await store.get(keyOf(2)))).toBe("ingested2");
      expect(text(await store.get("m"))).toBe("ingested");
      expect(text(await store.get("q"))).toBe("meanwhile");
      await store.put(keyOf(1), "after", { if: { sequence: version } });
      await store.merge(keyOf(2), "append", "+");
      expect(text(await store.get(keyOf(2)))).toBe("ingested2+");
    });

    test("a scan that is open does not see it", async () => {
      const store = await fresh();
      await store.batch([put("a", "1"), put("c", "3")]);
      const scan = store.scan();
      expect((await scan.nextMany(1)).length).toBe(1);
      await store.ingest([
        ["a", "new"],
        ["b", "new"],
        ["d", "new"],
      ]);
      const rest = await Array.fromAsync(scan);
      expect(rest.map(([key]) => text(key))).toEqual(["c"]);
    });

    test("a watch is told the range", async () => {
      const store = await fresh();
      const { version: since } = await store.put("a", "1");
      const { version } = await store.ingest([
        ["b", "1"],
        ["x", "1"],
      ]);
      await store.put("c", "2");
      await using watch = store.watch({ since, gte: "c" });
      const events: WatchEvent[] = [];
      for await (const event of watch) if (events.push(event) === 3) break;
      expect(events.map(({ type }) => type)).toEqual(["progress", "ingest", "commit"]);
      const [, told] = events;
      expect(told).toMatchObject({ sequence: version, time: expect.any(Number) });
      if (told?.type !== "ingest") throw new Error("no ingest");
      expect([text(told.gte), text(told.lt)]).toEqual(["c", "x\0"]);
    });
  });
}
