/** The change feed, as every store must have it. */
import { describe, expect, onTestFinished, test } from "vitest";
import type {
  CommitEvent,
  FeedOperation,
  Store,
  Watch,
  WatchEvent,
  WatchOptions,
} from "../../src/store.ts";
import { freshOf, type OpenStore, put, text } from "./opened-store.ts";

const BATCH_VALUE_BYTES = 100_000;

/** Ended with the test at the latest. */
function watchOf(store: Store, options?: WatchOptions): Watch {
  const watch = store.watch(options);
  onTestFinished(async () => void (await watch.return()));
  return watch;
}

async function nextOf(watch: Watch): Promise<WatchEvent> {
  const { value } = await watch.next();
  if (value === undefined) throw new Error("the watch has ended");
  return value;
}

/** The next so many commits; progress between them is left out. */
async function commitsOf(watch: Watch, count: number): Promise<CommitEvent[]> {
  const commits: CommitEvent[] = [];
  while (commits.length < count) {
    const event = await nextOf(watch);
    if (event.type === "commit") commits.push(event);
  }
  return commits;
}

function textsOf({ operations }: CommitEvent): string[] {
  return operations.map(textOf);
}

function textOf(operation: FeedOperation): string {
  switch (operation.type) {
    case "put":
      return `put ${text(operation.key)}=${text(operation.value)}`;
    case "delete":
      return `delete ${text(operation.key)}`;
    case "merge":
      return `merge ${text(operation.key)} ${operation.operator} ${text(operation.operand)}`;
    case "deleteRange":
      return `range ${text(operation.gte)}..${text(operation.lt) ?? ""}`;
  }
}

export function feedConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);

  describe(`${name}: the change feed`, () => {
    test("begins with where it begins, and tells what is committed from there on", async () => {
      const store = await fresh();
      const { version } = await store.put("before", "");
      const watch = watchOf(store);
      expect(await nextOf(watch)).toEqual({ type: "progress", sequence: version });
      const startedMs = Date.now();
      await store.put("a", "1");
      const [event] = await commitsOf(watch, 1);
      expect(event).toMatchObject({ firstSequence: version + 1, sequence: version + 1 });
      expect(event?.operations).toEqual([
        { type: "put", key: new Uint8Array([97]), value: new Uint8Array([49]) },
      ]);
      expect(Math.abs((event?.time ?? 0) - startedMs)).toBeLessThan(60_000);
    });

    test("tells batches whole and in order, as they were committed", async () => {
      const store = await fresh();
      const watch = watchOf(store, { since: 0 });
      const operations = [put("a", "1"), { type: "delete", key: "b" } as const, put("a", "2")];
      const batch = await store.batch(operations);
      const merge = await store.merge("log", "append", "x");
      const { version } = await store.deleteRange({ prefix: "k" });
      const events = await commitsOf(watch, 3);
      expect(events.map(textsOf)).toEqual([
        ["put a=1", "delete b", "put a=2"],
        ["merge log append x"],
        ["range k..l"],
      ]);
      expect(events.map(({ firstSequence, sequence }) => [firstSequence, sequence])).toEqual([
        [batch.version - 2, batch.version],
        [merge.version, merge.version],
        [version, version],
      ]);
    });

    test("what was computed for a write is told as a put, and a refused write is not", async () => {
      const store = await fresh();
      const watch = watchOf(store, { since: 0 });
      await store.put("n", new Uint8Array(8));
      await store.increment("n", 3);
      const refused = store.put("n", "no", { if: { absent: true } });
      await expect(refused).rejects.toMatchObject({ code: "CONDITION_FAILED" });
      await store.put("m", "yes", { if: { absent: true } });
      const [, incremented, conditional] = await commitsOf(watch, 3);
      const value = new Uint8Array([3, 0, 0, 0, 0, 0, 0, 0]);
      expect(incremented?.operations).toMatchObject([{ type: "put", value }]);
      expect(conditional && textsOf(conditional)).toEqual(["put m=yes"]);
    });

    test("is for a range: others' batches are left out, and deleted ranges are cut to it", async () => {
      const store = await fresh();
      const watch = watchOf(store, { gte: "c", lt: "f", since: 0, heartbeatMs: 5 });
      await store.batch([put("a", ""), put("c", "1"), put("f", ""), put("e", "2")]);
      await store.put("a", "");
      await store.deleteRange({ gte: "a", lt: "d" });
      await store.deleteRange({ gte: "f" });
      const { version } = await store.deleteRange({ gte: "" });
      const events = await commitsOf(watch, 3);
      expect(events.map(textsOf)).toEqual([["put c=1", "put e=2"], ["range c..d"], ["range c..f"]]);
      expect(events[2]?.sequence).toBe(version);
      const after = await store.put("z", "");
      for (;;) {
        const event = await nextOf(watch);
        expect(event.type).toBe("progress");
        if (event.sequence === after.version) break;
      }
    });

    test("a range without an end, and a prefix", async () => {
      const store = await fresh();
      const all = watchOf(store, { since: 0 });
      const some = watchOf(store, { prefix: "k", since: 0 });
      await store.deleteRange({ gte: "b" });
      await store.put("k1", "");
      expect((await commitsOf(all, 2)).map(textsOf)).toEqual([["range b.."], ["put k1="]]);
      expect((await commitsOf(some, 2)).map(textsOf)).toEqual([["range k..l"], ["put k1="]]);
    });

    test("goes on behind any sequence that it told, with nothing left out or told twice", async () => {
      const store = await fresh();
      for (let i = 0; i < 20; i++) await store.batch([put(`k${i}`, ""), put("last", `${i}`)]);
      const whole = await commitsOf(watchOf(store, { since: 0 }), 20);
      for (const [i, { sequence, firstSequence }] of whole.entries()) {
        if (i === 19) break;
        const [next] = await commitsOf(watchOf(store, { since: sequence }), 1);
        expect(next).toEqual(whole[i + 1]);
        // Within a batch: it is told whole.
        const [same] = await commitsOf(watchOf(store, { since: firstSequence }), 1);
        expect(same).toEqual(whole[i]);
      }
    });

    test("an entry that has expired is told without its value", async () => {
      const store = await fresh();
      await store.put("gone", "secret", { expiresAt: 1000 });
      await store.put("here", "value", { expiresAt: 2 ** 42 });
      const [gone, here] = await commitsOf(watchOf(store, { since: 0 }), 2);
      const key = new TextEncoder().encode("gone");
      expect(gone?.operations).toEqual([{ type: "delete", key, expiresAt: 1000 }]);
      expect(here?.operations).toMatchObject([{ type: "put", expiresAt: 2 ** 42 }]);
    });

    test("what it tells can be handed to another store as it is", async () => {
      const [store, other] = [await fresh(), await fresh()];
      await store.batch([put("a", "1"), put("b", "2"), put("c", "3")]);
      await store.deleteRange({ gte: "b", lt: "c" });
      await store.merge("a", "append", "!");
      await store.put("d", "4", { expiresAt: 2 ** 42 });
      await store.put("c", "5", { expiresAt: 5 });
      for (const { operations } of await commitsOf(watchOf(store, { since: 0 }), 5)) {
        await other.batch(operations);
      }
      expect(await Array.fromAsync(other.scan())).toEqual(await Array.fromAsync(store.scan()));
    });

    test("a large batch arrives whole", async () => {
      const store = await fresh();
      const watch = watchOf(store, { since: 0 });
      const values = Array.from({ length: 12 }, (_, i) => `${i}`.repeat(BATCH_VALUE_BYTES));
      await store.batch(values.map((value, i) => put(`k${i}`, value)));
      await store.put("after", "");
      const [batch, after] = await commitsOf(watch, 2);
      expect(batch?.operations).toHaveLength(12);
      expect(batch && textsOf(batch)).toEqual(values.map((value, i) => `put k${i}=${value}`));
      expect(after && textsOf(after)).toEqual(["put after="]);
    });

    test("a quiet watch says how far it is", async () => {
      const store = await fresh();
      const watch = watchOf(store, { heartbeatMs: 1 });
      const { version } = await store.put("a", "");
      await commitsOf(watch, 1);
      for (let i = 0; i < 3; i++) {
        expect(await nextOf(watch)).toEqual({ type: "progress", sequence: version });
      }
    });

    test("return ends it, also for who waits; an abort fails it", async () => {
      const store = await fresh();
      const watch = watchOf(store);
      await nextOf(watch);
      const waiting = watch.next();
      expect(await watch.return()).toEqual({ done: true, value: undefined });
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(await watch.next()).toEqual({ done: true, value: undefined });

      const controller = new AbortController();
      const aborted = watchOf(store, { signal: controller.signal });
      await nextOf(aborted);
      const next = aborted.next();
      controller.abort(new Error("enough"));
      await expect(next).rejects.toMatchObject({ code: "ABORTED" });
      expect((await aborted.next()).done).toBe(true);
      const never = watchOf(store, { signal: AbortSignal.abort() });
      await expect(never.next()).rejects.toMatchObject({ code: "ABORTED" });
    });

    test("closing the store fails it with CLOSED", async () => {
      const { store, dispose } = await open();
      const watch = store.watch();
      await nextOf(watch);
      const next = expect(watch.next()).rejects.toMatchObject({ code: "CLOSED" });
      await store.close();
      await next;
      await dispose();
    });

    test("many watch at once", async () => {
      const store = await fresh();
      const watches = Array.from({ length: 10 }, () => watchOf(store, { since: 0 }));
      const writes = Array.from({ length: 50 }, (_, i) => store.put(`k${i}`, `${i}`));
      const told = watches.map(async (watch) => (await commitsOf(watch, 50)).map(textsOf));
      await Promise.all(writes);
      const expected = writes.map((_, i) => [`put k${i}=${i}`]);
      for (const one of await Promise.all(told)) expect(one).toEqual(expected);
    });

    test("bad options are INVALID_ARGUMENT, and so is a sequence that is not there yet", async () => {
      const store = await fresh();
      const { version } = await store.put("a", "");
      const wrong = [
        { since: -1 },
        { since: 0.5 },
        { since: "1" },
        { heartbeatMs: 0 },
        { heartbeatMs: 1.5 },
        { gte: 7 },
        { signal: {} },
        { since: version + 1 },
      ];
      for (const options of wrong) {
        const call = async () => {
          const watch = watchOf(store, options as WatchOptions);
          await watch.next();
        };
        await expect(call(), JSON.stringify(options)).rejects.toMatchObject({
          code: "INVALID_ARGUMENT",
        });
      }
    });
  });
}
