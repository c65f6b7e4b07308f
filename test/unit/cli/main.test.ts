/** The server program as its operator has it: signals, what it says, and what it refuses to start on. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect, type VarveClient } from "varve-client";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { startServer } from "../../../bench/support/server-process.ts";

const MAIN = join(import.meta.dirname, "../../../src/main.ts");
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "varve-main-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly stdout: Promise<string>;
  readonly stderr: Promise<string>;
  readonly exit: Promise<readonly [code: number | null, signal: string | null]>;
}

function start(...args: string[]): Running {
  const http = args.includes("--http-port") ? [] : ["--no-http"];
  const given = ["--port", "0", ...http, "--data", directory, ...args];
  const child = spawn(process.execPath, [MAIN, ...given], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const exit = once(child, "exit") as Promise<[number | null, string | null]>;
  return { child, stdout: text(child.stdout), stderr: text(child.stderr), exit };
}

/** Puts with so many calls in flight until the connection ends; tells the keys that were answered. */
async function putUntilTheEnd(client: VarveClient, onAnswer: (count: number) => void) {
  const answered: string[] = [];
  const putAll = async (caller: number) => {
    for (let i = 0; ; i++) {
      const key = `${caller}:${i}`;
      try {
        await client.put(key, `value of ${key}`);
      } catch {
        return;
      }
      answered.push(key);
      onAnswer(answered.length);
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, caller) => putAll(caller)));
  return answered;
}

test.each(["SIGTERM", "SIGKILL"])(
  "all that was answered is there after %s in the middle of puts",
  async (signal) => {
    const server = await startServer(directory);
    const client = await connect(server.url);
    let ended: Promise<unknown> | undefined;
    const answered = await putUntilTheEnd(client, (count) => {
      if (count >= 2000) ended ??= signal === "SIGKILL" ? server.kill() : server.stop();
    });
    await client.close();
    expect(await ended).toBe(signal === "SIGKILL" ? undefined : 0);

    const again = await startServer(directory);
    const reader = await connect(again.url);
    const values = await reader.getMany(answered);
    const texts = values.map((value) => new TextDecoder().decode(value));
    expect(texts).toEqual(answered.map((key) => `value of ${key}`));
    await reader.close();
    expect(await again.stop()).toBe(0);
  },
);

test("a second signal ends the process at once, with a shell's exit code", async () => {
  const server = start();
  await once(server.child.stdout as NonNullable<ChildProcess["stdout"]>, "data");
  server.child.kill("SIGTERM");
  server.child.kill("SIGINT");
  const [code, signal] = await server.exit;
  // The first may have closed everything already when the second arrives.
  expect([0, 130, 143]).toContain(code);
  expect(signal).toBeNull();
});

test("a directory that is served already is refused in one line, with the owner's pid", async () => {
  const server = await startServer(directory);
  const second = start();
  expect(await second.exit).toEqual([1, null]);
  const said = await second.stderr;
  expect(said).toMatch(/^LOCKED: .+\n$/);
  expect(said).toMatch(/process \d+|pid \d+/);
  expect(await server.stop()).toBe(0);
});

test("a port that is taken is refused in one line, and the directory is left for another", async () => {
  const server = await startServer(join(directory, "first"));
  const port = new URL(server.url).port;
  const second = start("--port", port, "--data", join(directory, "second"));
  expect(await second.exit).toEqual([1, null]);
  expect(await second.stderr).toMatch(
    new RegExp(`^IO_ERROR: cannot listen on 127.0.0.1:${port}: .*EADDRINUSE.*\\n$`),
  );
  expect(await server.stop()).toBe(0);
  expect(await (await startServer(join(directory, "second"))).stop()).toBe(0);
});

test("both doors are served, and a port for HTTP that is taken is refused in one line", async () => {
  const server = await startServer(join(directory, "first"), ["--http-port", "0"]);
  const address = `http://127.0.0.1:${server.httpPort}`;
  const headers = { "content-type": "application/json" };
  const body = '{"value":"42"}';
  const put = await fetch(`${address}/kv-store/v1/kv/k/`, { method: "PUT", headers, body });
  expect(put.status).toBe(200);
  const client = await connect(server.url);
  expect(new TextDecoder().decode(await client.get("k"))).toBe("42");
  await client.close();
  const port = String(server.httpPort);
  const second = start("--http-port", port, "--data", join(directory, "second"));
  expect(await second.exit).toEqual([1, null]);
  expect(await second.stderr).toMatch(
    new RegExp(`^IO_ERROR: cannot listen on 127.0.0.1:${port} for HTTP: .*EADDRINUSE.*\\n$`),
  );
  expect(await server.stop()).toBe(0);
});

test("tokens are read from their file, and a file without any is refused in one line", async () => {
  const path = join(directory, "tokens.json");
  await writeFile(path, '{"write":["0123456789abcdef"]}');
  const data = join(directory, "data");
  const server = await startServer(data, ["--http-port", "0", "--http-tokens", path]);
  const address = `http://127.0.0.1:${server.httpPort}/kv-store/v1/kv/`;
  expect((await fetch(address)).status).toBe(401);
  const headers = { authorization: "Bearer 0123456789abcdef" };
  expect((await fetch(address, { headers })).status).toBe(200);
  expect(await server.stop()).toBe(0);
  await writeFile(path, "{}");
  const refused = start("--data", data, "--http-tokens", path);
  expect(await refused.exit).toEqual([1, null]);
  expect(await refused.stderr).toBe("INVALID_ARGUMENT: the file of tokens has none\n");
});

test("a directory with other files in it is refused, and not touched", async () => {
  await writeFile(join(directory, "thesis.txt"), "mine");
  const server = start();
  expect(await server.exit).toEqual([1, null]);
  expect(await server.stderr).toMatch(/^NOT_A_DATABASE: .+\n$/);
  expect(await readdir(directory)).toEqual(["thesis.txt"]);
});

test.each([
  ["--port", "70000", /a port is a whole number from 0 to 65535/],
  ["--memory-budget", "lots", /memory-budget/],
  ["--log-level", "loud", /trace, debug, info/],
  ["--durability", "maybe", /always, interval, none/],
])("%s %s is refused with what is allowed", async (option, value, said) => {
  const server = start(option, value);
  expect(await server.exit).toEqual([1, null]);
  expect(await server.stderr).toMatch(said);
});

test("at the log level silent nothing is said", async () => {
  const server = start("--log-level", "silent");
  const lockAppears = async () => {
    while (!(await readdir(directory)).includes("LOCK")) await new Promise(setImmediate);
  };
  await lockAppears();
  server.child.kill("SIGTERM");
  await server.exit;
  expect(await server.stdout).toBe("");
});

test("a server of a database that is read-only reads, and refuses writes", async () => {
  const writer = await startServer(directory);
  const client = await connect(writer.url);
  await client.put("a", "1");
  await client.close();
  await writer.stop();
  const server = await startServer(directory, ["--read-only"]);
  const reader = await connect(server.url);
  expect(new TextDecoder().decode(await reader.get("a"))).toBe("1");
  await expect(reader.put("a", "2")).rejects.toMatchObject({ code: "READ_ONLY" });
  await reader.close();
  expect(await server.stop()).toBe(0);
});
