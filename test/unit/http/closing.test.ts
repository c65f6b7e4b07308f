import { expect, test } from "vitest";
import { eventually } from "../../support/test-server.ts";
import { changedStore, RawConnection, startHttp } from "./support.ts";

const HOST = "Host: localhost\r\n";

test("a server that closes answers what is in flight, and ends streams so that it shows", async () => {
  let answer: (() => void) | undefined;
  const { server, port } = await startHttp({}, {}, (database) =>
    changedStore(database, {
      put: async (key, value, options) => {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return database.put(key, value, options);
      },
    }),
  );
  const body = '{"value":"v"}';
  const writer = new RawConnection(port);
  writer.say(
    `PUT /kv-store/v1/kv/k HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const watcher = new RawConnection(port);
  watcher.say(`GET /kv-store/v1/changes/ HTTP/1.1\r\n${HOST}\r\n`);
  const idle = new RawConnection(port);
  idle.say(`GET /healthz HTTP/1.1\r\n${HOST}\r\n`);
  const silent = new RawConnection(port);
  await eventually(() => answer !== undefined && watcher.heard.includes("event: progress"));
  await eventually(() => idle.heard.includes('"ok"') && server.stats().connections === 4);

  const closed = server.close();
  await eventually(() => watcher.isEnded && idle.isEnded);
  expect(watcher.heard).toMatch(/event: problem\ndata: .*"code":"SHUTTING_DOWN"/);
  expect(watcher.heard).not.toMatch(/\r\n0\r\n\r\n$/);
  expect(writer.isEnded).toBe(false);
  answer?.();
  await closed;
  await eventually(() => writer.isEnded && silent.isEnded);
  expect(writer.heard).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*"value":"v"/);
  await server.close();
});

test("a request that comes while the server closes is 503 with Retry-After", async () => {
  let answer: (() => void) | undefined;
  const { server, port } = await startHttp({}, {}, (database) =>
    changedStore(database, {
      delete: async (key) => {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return database.delete(key);
      },
    }),
  );
  const peer = new RawConnection(port);
  peer.say(`DELETE /kv-store/v1/kv/k HTTP/1.1\r\n${HOST}\r\n`);
  await eventually(() => answer !== undefined);
  const closed = server.close();
  await Promise.resolve();
  peer.say(`GET /kv-store/v1/kv/k HTTP/1.1\r\n${HOST}\r\n`);
  await eventually(() => server.stats().requests === 2);
  answer?.();
  await eventually(() => peer.isEnded);
  await closed;
  expect(peer.heard).toMatch(
    /^HTTP\/1\.1 204 [\s\S]*HTTP\/1\.1 503 [\s\S]*retry-after: 1[\s\S]*"code":"SHUTTING_DOWN"/i,
  );
});

test("a peer that never ends its request does not hold the server for longer than it may", async () => {
  const { server, port } = await startHttp({ closeTimeoutMs: 100 });
  const peer = new RawConnection(port);
  peer.say(
    `PUT /kv-store/v1/kv/k HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
  );
  await eventually(() => server.stats().inFlight === 1);
  await server.close();
  await eventually(() => peer.isEnded);
});

test("a port that is taken is an error, and closing what never listened is fine", async () => {
  const { port } = await startHttp();
  const { database } = await startHttp();
  const { HttpServer } = await import("../../../src/http/http-server.ts");
  const nothing = () => undefined;
  const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const second = new HttpServer({ store: database, version: "0.0.0", logger });
  await expect(second.listen(port, "127.0.0.1")).rejects.toThrow(/EADDRINUSE/);
  await second.close();
});
