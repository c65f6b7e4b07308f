/** Streams that were begun together, where there was room for one, were all taken, and then never answered. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { eventually } from "../support/test-server.ts";
import { changedStore, put, RawConnection, startHttp } from "../unit/http/support.ts";

const STREAMS = 10;
const LATE_MS = 50;

test.each([
  ["ranges", "GET /kv-store/v1/kv/ HTTP/1.1\r\nAccept: application/x-ndjson"],
  ["changes", "GET /kv-store/v1/changes HTTP/1.1\r\nAccept: text/event-stream"],
])("%s that find no room by the time they begin are 429", async (_, head) => {
  const { port, kv, server } = await startHttp({ streamsMax: 1 }, {}, (database) =>
    changedStore(database, {
      async snapshot() {
        await sleep(LATE_MS);
        return database.snapshot();
      },
      watch(options) {
        const watch = database.watch(options);
        const next = watch.next.bind(watch);
        watch.next = async () => {
          await sleep(LATE_MS);
          return next();
        };
        return watch;
      },
    }),
  );
  for (let i = 0; i < 20; i++) await put(`${kv}${i}`, { value: "x".repeat(1_000_000) });
  const peers = Array.from({ length: STREAMS }, () => new RawConnection(port));
  // The one that is taken goes on until all are answered.
  for (const { socket } of peers) socket.on("data", () => socket.pause());
  for (const peer of peers) peer.say(`${head}\r\nHost: localhost\r\n\r\n`);
  await eventually(() => peers.every(({ heard }) => heard.startsWith("HTTP/1.1 ")));
  const statuses = peers.map(({ heard }) => heard.slice(9, 12)).sort();
  expect(statuses).toEqual(["200", ...Array(STREAMS - 1).fill("429")]);
  for (const { socket } of peers) socket.destroy();
  await eventually(() => server.stats().inFlight === 0);
});
