/** Snapshots that clients hold: their leases, their limits, and their ends. */

import { connect } from "varve-client";
import { encodeRequest, type ReadAt, type Request } from "varve-protocol";
import { expect, test } from "vitest";
import { ManualClock } from "../../support/manual-clock.ts";
import { RawClient } from "../../support/raw-client.ts";
import { changed, eventually, startTestServer } from "../../support/test-server.ts";

const LEASE_MS = 60_000;
const bytes = (text: string) => new TextEncoder().encode(text);
const EXPIRED = { name: "VarveError", code: "SNAPSHOT_EXPIRED", retryable: false };

async function started(options: Parameters<typeof startTestServer>[0] = {}) {
  const clock = new ManualClock();
  const { port, database, stats } = await startTestServer({ clock, ...options });
  await database.put("k", "old");
  const url = `varve://127.0.0.1:${port}`;
  const open = () => (stats() as unknown as { snapshots: number }).snapshots;
  return { clock, port, database, url, open, inStore: () => database.stats().snapshots };
}

test("a snapshot that nobody uses ends with its lease, and gives back what it kept", async () => {
  const { clock, url, open, database } = await started();
  await using client = await connect(url);
  const snapshot = await client.snapshot();
  expect(snapshot.leaseMs).toBe(LEASE_MS);
  await database.put("k", "new");
  expect(open()).toBe(1);
  clock.advance(LEASE_MS - 1);
  expect(open()).toBe(1);
  clock.advance(1);
  expect(open()).toBe(0);
  for (const read of [
    () => snapshot.get("k"),
    () => snapshot.getEntry("k"),
    () => snapshot.getMany(["k"]),
    () => snapshot.scan().next(),
    () => snapshot.renew(),
  ]) {
    await expect(read()).rejects.toMatchObject(EXPIRED);
  }
  await snapshot.close();
  expect(new TextDecoder().decode(await client.get("k"))).toBe("new");
});

test("each use of a snapshot renews its lease, and so does renew", async () => {
  const { clock, url, open } = await started();
  await using client = await connect(url);
  const snapshot = await client.snapshot();
  const uses: (() => Promise<unknown>)[] = [
    () => snapshot.get("k"),
    () => snapshot.getEntry("k"),
    () => snapshot.getMany(["k"]),
    () => Array.fromAsync(snapshot.scan()),
    () => snapshot.renew(),
  ];
  for (const use of uses) {
    clock.advance(LEASE_MS - 1);
    await use();
  }
  clock.advance(LEASE_MS - 1);
  expect(open()).toBe(1);
  clock.advance(1);
  expect(open()).toBe(0);
});

test("a scan at a snapshot goes on when the lease runs out", async () => {
  const { clock, url, database } = await started();
  for (let i = 0; i < 100; i++) await database.put(`s${100 + i}`, new Uint8Array(10_000));
  await using client = await connect(url, { scanCreditBytes: 1 });
  const snapshot = await client.snapshot();
  const scan = snapshot.scan({ prefix: "s" });
  await scan.next();
  clock.advance(LEASE_MS);
  await database.deleteRange({ prefix: "s" });
  expect((await Array.fromAsync(scan)).length).toBe(99);
  await expect(snapshot.get("k")).rejects.toMatchObject(EXPIRED);
});

test("snapshots end with their connection, those that are being opened, too", async () => {
  const waiting: (() => void)[] = [];
  const { port, stats, database } = await startTestServer({}, (db) =>
    changed(db, {
      snapshot: async () => {
        if (waiting.length > 0) await new Promise<void>((resolve) => waiting.push(resolve));
        return db.snapshot();
      },
    }),
  );
  const open = () => (stats() as unknown as { snapshots: number }).snapshots;
  const client = await RawClient.greeted(port);
  client.send((writer) => encodeRequest(writer, 1, { kind: "SNAPSHOT" }));
  await client.until(() => client.answers.length === 1);
  waiting.push(() => undefined);
  client.send((writer) => encodeRequest(writer, 2, { kind: "SNAPSHOT" }));
  await eventually(() => waiting.length === 2);
  expect(open()).toBe(2);
  client.socket.resetAndDestroy();
  await eventually(() => open() === 0);
  for (const resolve of waiting) resolve();
  await eventually(() => database.stats().snapshots === 0);
});

test("a handle is of use to the connection alone that opened it", async () => {
  const { port, url } = await started();
  await using holder = await connect(url);
  await using snapshot = await holder.snapshot();
  const [{ id } = { id: 0 }] = await holder.snapshots();
  const other = await RawClient.greeted(port);
  const at: ReadAt = { snapshot: id };
  const requests: Request[] = [
    { kind: "GET", key: bytes("k"), at },
    { kind: "SNAPSHOT_RENEW", handle: id },
    { kind: "SCAN", credit: 1, options: {}, at },
    { kind: "GET", key: bytes("k"), at: { snapshot: 2 ** 53 - 1 } },
  ];
  for (const [i, request] of requests.entries()) {
    other.send((writer) => encodeRequest(writer, i + 1, request));
    await other.until(() => other.answersTo(i + 1).length === 1);
    expect(other.answersTo(i + 1)).toMatchObject([
      { kind: "ERROR", error: { code: "SNAPSHOT_EXPIRED" } },
    ]);
  }
  other.send((writer) => encodeRequest(writer, 9, { kind: "SNAPSHOT_CLOSE", handle: id }));
  await other.until(() => other.answersTo(9).length === 1);
  expect(other.answersTo(9)).toMatchObject([{ kind: "SNAPSHOT_CLOSED" }]);
  expect(new TextDecoder().decode(await snapshot.get("k"))).toBe("old");
  other.socket.destroy();
});

test("a read at a sequence that is yet to come is refused, and the connection goes on", async () => {
  const { port } = await started();
  const client = await RawClient.greeted(port);
  const request: Request = { kind: "GET", key: bytes("k"), at: { sequence: 1_000_000 } };
  client.send((writer) => encodeRequest(writer, 1, request));
  client.send((writer) => encodeRequest(writer, 2, { kind: "PING" }));
  await client.until(() => client.answers.length === 2);
  expect(client.answersTo(1)).toMatchObject([{ error: { code: "INVALID_ARGUMENT" } }]);
  expect(client.answersTo(2)).toMatchObject([{ kind: "PONG" }]);
  client.socket.destroy();
});

test("a connection, and all together, have only so many snapshots open", async () => {
  const { url, open } = await started({ snapshotsPerConnectionMax: 2, snapshotsMax: 3 });
  await using one = await connect(url);
  await using two = await connect(url);
  const held = [await one.snapshot(), await one.snapshot(), await two.snapshot()];
  const overloaded = { code: "OVERLOADED", retryable: true };
  await expect(one.snapshot()).rejects.toMatchObject(overloaded);
  await expect(two.snapshot()).rejects.toMatchObject(overloaded);
  await held[0]?.close();
  expect(open()).toBe(2);
  await two.snapshot();
  await expect(one.snapshot()).rejects.toMatchObject(overloaded);
});

test("an administrator sees every snapshot, and ends one", async () => {
  const { clock, url, database } = await started();
  await using holder = await connect(url);
  await using admin = await connect(url);
  expect(await admin.snapshots()).toEqual([]);
  const openedMs = clock.now();
  const first = await holder.snapshot();
  const { version } = await database.put("k", "new");
  clock.advance(1000);
  await using second = await admin.snapshot();
  const list = await admin.snapshots();
  expect(list).toMatchObject([
    { sequence: first.sequence, openedMs, leaseLeftMs: LEASE_MS - 1000 },
    { sequence: version, openedMs: openedMs + 1000, leaseLeftMs: LEASE_MS },
  ]);
  expect(list.every(({ peer }) => /^127\.0\.0\.1:\d+$/.test(peer))).toBe(true);
  const id = list[0]?.id ?? 0;
  expect(await admin.killSnapshot(id)).toBe(true);
  expect(await admin.killSnapshot(id)).toBe(false);
  await expect(first.get("k")).rejects.toMatchObject(EXPIRED);
  expect(new TextDecoder().decode(await second.get("k"))).toBe("new");
  await expect(admin.killSnapshot(-1)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});

test("what opening a snapshot fails with is told, and holds no place", async () => {
  const { port, stats } = await startTestServer({ snapshotsMax: 1 }, (db) =>
    changed(db, { snapshot: () => Promise.reject(new Error("broken")) }),
  );
  await using client = await connect(`varve://127.0.0.1:${port}`);
  await expect(client.snapshot()).rejects.toMatchObject({ code: "INTERNAL" });
  await expect(client.snapshot()).rejects.toMatchObject({ code: "INTERNAL" });
  expect((stats() as unknown as { snapshots: number }).snapshots).toBe(0);
});
