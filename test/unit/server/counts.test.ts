/** A count that nobody waits for any more ends, over TCP and embedded. */
import { connect } from "varve-client";
import { encodeEmpty, encodeRequest, OPCODE, type Request } from "varve-protocol";
import { expect, onTestFinished, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { VarveError } from "../../../src/errors.ts";
import type { CountOptions } from "../../../src/store.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { RawClient } from "../../support/raw-client.ts";
import { changed, eventually, startTestServer } from "../../support/test-server.ts";

const COUNT: Request = { kind: "COUNT", range: {} };
/** Several turns of the event loop. */
const ENTRIES = 45_000;
const ABORTED = expect.objectContaining({ code: "ABORTED" });

function* pairs(): Generator<readonly [string, string]> {
  for (let i = 0; i < ENTRIES; i++) yield [`key:${String(i).padStart(8, "0")}`, "v"];
}

async function openLarge(): Promise<Database> {
  const db = await Database.open("/db", { fs: new MemoryFileSystem(), background: "inline" });
  onTestFinished(() => db.close());
  await db.ingest(pairs());
  return db;
}

/** A count that ends with its signal and in no other way. */
function endless() {
  const state = { begun: 0, aborted: 0 };
  const count = ({ signal }: CountOptions = {}) =>
    new Promise<number>((_, reject) => {
      state.begun++;
      signal?.addEventListener("abort", () => {
        state.aborted++;
        reject(new VarveError("ABORTED", "the count was aborted"));
      });
    });
  return { state, count };
}

test("CANCEL ends a count before it has seen everything", async () => {
  const { port, database } = await startTestServer();
  await database.ingest(pairs());
  const client = await RawClient.greeted(port);
  client.send((writer) => {
    encodeRequest(writer, 1, COUNT);
    encodeEmpty(writer, 1, OPCODE.CANCEL);
    encodeRequest(writer, 2, COUNT);
    encodeEmpty(writer, 3, OPCODE.CANCEL);
  });
  await client.until(() => client.answers.length === 2);
  expect(client.answersTo(1)).toMatchObject([{ kind: "ERROR", error: { code: "ABORTED" } }]);
  expect(client.answersTo(2)).toMatchObject([{ kind: "COUNTED", count: ENTRIES }]);
  expect(database.stats().openScans).toBe(0);
  client.socket.destroy();
});

test.each(["end", "destroy"] as const)("a count ends with its connection: %s", async (how) => {
  const { state, count } = endless();
  const { port, stats } = await startTestServer({}, (database) => changed(database, { count }));
  const client = await RawClient.greeted(port);
  client.send((writer) => encodeRequest(writer, 1, COUNT));
  await eventually(() => state.begun === 1);
  expect(state.aborted).toBe(0);
  client.socket[how]();
  await eventually(() => state.aborted === 1 && stats().connections === 0);
});

test("a count of a snapshot is cancelled, too", async () => {
  const { port, database } = await startTestServer();
  await database.ingest(pairs());
  const client = await connect(`varve://127.0.0.1:${port}`);
  const snapshot = await client.snapshot();
  const stop = new AbortController();
  const counted = snapshot.count({ signal: stop.signal });
  stop.abort();
  await expect(counted).rejects.toEqual(ABORTED);
  expect(await snapshot.count()).toBe(ENTRIES);
  await snapshot.close();
  await client.close();
});

test("embedded, a signal ends a count in the turn after, and what it pins is free", async () => {
  const db = await openLarge();
  for (const reason of [undefined, new Error("no more")]) {
    const stop = new AbortController();
    const counted = db.count({ signal: stop.signal });
    stop.abort(reason);
    await expect(counted).rejects.toEqual(ABORTED);
    await expect(counted).rejects.toMatchObject({ cause: stop.signal.reason });
    expect(db.stats().openScans).toBe(0);
  }
});

test("where much is deleted, a count ends though it finds nothing to count", async () => {
  const db = await openLarge();
  for (let i = 0; i < ENTRIES; i += 500) {
    const keys = Array.from({ length: 500 }, (_, j) => `key:${String(i + j).padStart(8, "0")}`);
    await db.batch(keys.map((key) => ({ type: "delete", key })));
  }
  const stop = new AbortController();
  const counted = db.count({ signal: stop.signal });
  stop.abort();
  await expect(counted).rejects.toEqual(ABORTED);
  expect(await db.count()).toBe(0);
});
