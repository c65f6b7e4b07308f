/** A Redis server as a process of its own on a free loopback port, with its append-only file on. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const PROGRAM = "redis-server";

/** What the program says its version is, or undefined where it is not installed. */
export function redisVersion(): string | undefined {
  const { status, stdout } = spawnSync(PROGRAM, ["--version"], { encoding: "utf8" });
  return status === 0 ? (/v=([\d.]+)/.exec(stdout)?.[1] ?? stdout.trim()) : undefined;
}

/** When Redis answers a write: after its log is on the disk, or with a sync once a second. */
export type AppendSync = "always" | "everysec";

/** No dumps and no rewriting of the log meanwhile, so that Redis does only what is measured. */
export function redisOptions(appendSync: AppendSync): Readonly<Record<string, string>> {
  return {
    appendonly: "yes",
    appendfsync: appendSync,
    save: "",
    "auto-aof-rewrite-percentage": "0",
  };
}

export interface RedisProcess {
  readonly port: number;
  /** SIGTERM; resolves when the process is gone. */
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

export async function startRedis(directory: string, appendSync: AppendSync): Promise<RedisProcess> {
  await mkdir(directory, { recursive: true });
  const port = await freePort();
  const settings = Object.entries(redisOptions(appendSync)).flatMap(([name, value]) => [
    `--${name}`,
    value,
  ]);
  const child = spawn(
    PROGRAM,
    ["--bind", "127.0.0.1", "--port", String(port), "--dir", directory, ...settings],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(child, "exit");
  const killChild = () => child.kill("SIGKILL");
  process.once("exit", killChild);
  void exited.then(() => process.off("exit", killChild));
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
  };
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes("Ready to accept connections")) continue;
    child.stdout.resume();
    return { port, stop };
  }
  throw new Error("redis-server ended before it served");
}
