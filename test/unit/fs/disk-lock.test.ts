import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DiskFileSystem } from "../../../src/fs/disk-file-system.ts";

const fs = new DiskFileSystem();
const taker = fileURLToPath(new URL("../../support/lock-taker.ts", import.meta.url));
let directory = "";
let path = "";
let children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "varve-lock-"));
  path = join(directory, "LOCK");
});
afterEach(async () => {
  await Promise.all(children.map(kill));
  children = [];
  rmSync(directory, { recursive: true });
});

interface Taker {
  readonly process: ChildProcess;
  nextLine(): Promise<string>;
}

function start(...more: string[]): Taker {
  const child = spawn(process.execPath, [taker, path, ...more], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  const lines: Interface = createInterface({ input: child.stdout! });
  const iterator = lines[Symbol.asyncIterator]();
  return { process: child, nextLine: async () => String((await iterator.next()).value) };
}

function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

test("a second open in this process is LOCKED, naming pid and path, until release", async () => {
  const lock = await fs.lock(path);
  const failure = await fs.lock(path).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "LOCKED" });
  expect((failure as Error).message).toContain(`${process.pid}`);
  expect((failure as Error).message).toContain(path);
  await lock.release();
  expect(readdirSync(directory)).toEqual([]);
  await (await fs.lock(path)).release();
});

test("a live process keeps its lock, a killed one loses it", async () => {
  const holder = start();
  expect(await holder.nextLine()).toBe("held");
  const failure = await fs.lock(path).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "LOCKED" });
  expect((failure as Error).message).toContain(`pid ${holder.process.pid}`);
  await kill(holder.process);
  const lock = await fs.lock(path);
  await expect(fs.lock(path)).rejects.toMatchObject({ code: "LOCKED" });
  await lock.release();
  expect(readdirSync(directory)).toEqual([]);
});

test("of many processes that find the owner dead at once, exactly one wins", async () => {
  const takers = Array.from({ length: 5 }, () => start("wait"));
  for (const one of takers) expect(await one.nextLine()).toBe("ready");
  writeFileSync(path, "999999999 1 00000000-0000-0000-0000-000000000000\n");
  for (const one of takers) one.process.stdin!.write("go\n");
  const results = await Promise.all(takers.map((one) => one.nextLine()));
  expect(results.sort()).toEqual(["LOCKED", "LOCKED", "LOCKED", "LOCKED", "held"]);
  expect(readdirSync(directory)).toEqual(["LOCK"]);
});

test("of many takers in one process, exactly one wins, whatever dead guards are in the way", async () => {
  const dead = (nonce: string) =>
    `999999999 1 00000000-0000-0000-0000-${nonce.padStart(12, "0")}\n`;
  for (let round = 0; round < 20; round++) {
    writeFileSync(path, dead("1"));
    // The one who took over from 1 died while it held the guard, and so did the one who took over from it.
    writeFileSync(`${path}.00000000-0000-0000-0000-000000000001`, dead("2"));
    writeFileSync(`${path}.00000000-0000-0000-0000-000000000002`, dead("3"));
    writeFileSync(`${path}.00000000-0000-0000-0000-000000000009.new`, dead("9"));
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => fs.lock(path)));
    const won = results.filter((result) => result.status === "fulfilled");
    expect(won.length).toBe(1);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "LOCKED" });
    }
    expect(readdirSync(directory)).toEqual(["LOCK"]);
    await won[0]!.value.release();
  }
});

test("a process id that was used again does not hold the lock", async () => {
  writeFileSync(path, `${process.pid} 1 00000000-0000-0000-0000-000000000000\n`);
  await (await fs.lock(path)).release();
});

test("a lock file that a loss of power emptied is taken over", async () => {
  writeFileSync(path, "");
  await (await fs.lock(path)).release();
  expect(readdirSync(directory)).toEqual([]);
});

test("release leaves a lock alone that is not ours any more", async () => {
  const lock = await fs.lock(path);
  writeFileSync(path, "1 1 00000000-0000-0000-0000-000000000000\n");
  await lock.release();
  expect(readFileSync(path, "utf8")).toContain("1 1 ");
});
