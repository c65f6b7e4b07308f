/** Many connections, held by a server in a process of its own: the files that a process may open are for one side. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startServer } from "../../../bench/support/server-process.ts";
import { eventually } from "../../support/test-server.ts";
import { ask, put, RawConnection, startHttp } from "./support.ts";

const WANTED = 10_000;
/** For everything else in the process. */
const SPARE_FILES = 1000;
const filesMax =
  Number(execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" })) || WANTED * 2;
const idleCount = Math.min(WANTED, filesMax - SPARE_FILES);

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

test(`${idleCount} idle connections cost little, and others are served`, {
  timeout: 120_000,
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), "varve-http-"));
  const server = await startServer(directory, ["--http-port", "0"]);
  const port = server.httpPort ?? 0;
  const kv = `http://127.0.0.1:${port}/kv-store/v1/kv/`;
  const sockets: Socket[] = [];
  try {
    await put(`${kv}k`, { value: "v" });
    const before = residentBytes(server.pid);
    let open = 0;
    while (sockets.length < idleCount) {
      // In parts, as what listens has a queue.
      const part = Math.min(200, idleCount - sockets.length);
      for (let i = 0; i < part; i++) {
        const socket = connect(port, "127.0.0.1", () => open++);
        socket.on("error", () => undefined);
        sockets.push(socket);
      }
      await eventually(() => open === sockets.length);
    }
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(`${kv}k`)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect((await put(`${kv}k`, { value: "w" })).status).toBe(200);
    expect(residentBytes(server.pid) - before).toBeLessThan(idleCount * 32 * 1024);
  } finally {
    for (const socket of sockets) socket.destroy();
    expect(await server.stop()).toBe(0);
    await rm(directory, { recursive: true, force: true });
  }
});

test("a connection above the most that there may be is told so, and the others go on", async () => {
  const { port, server, kv } = await startHttp({ connectionsMax: 3 });
  const held = [1, 2, 3].map(() => new RawConnection(port));
  await eventually(() => server.stats().connections === 3);
  const refused = new RawConnection(port);
  refused.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await eventually(() => refused.isEnded);
  expect(refused.heard).toMatch(
    /^HTTP\/1\.1 429 [\s\S]*Retry-After: 1\r\n[\s\S]*"code":"OVERLOADED"/,
  );
  held[0]?.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await eventually(() => held[0]?.heard.includes('"ok"') === true);
  held[1]?.socket.destroy();
  await eventually(() => server.stats().connections === 2);
  expect((await ask(kv)).status).toBe(200);
  expect(server.stats().refused).toBe(1);
});

test("a connection on which nothing is asked is closed in time", async () => {
  const { port } = await startHttp({ keepAliveTimeoutMs: 50, headersTimeoutMs: 100 });
  const [used, never] = [new RawConnection(port), new RawConnection(port)];
  used.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await eventually(() => used.isEnded && never.isEnded);
  expect(used.heard).toContain('"ok"');
});
