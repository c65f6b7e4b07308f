/**
 * A PostgreSQL server as a process of its own, on a Unix socket in a directory of its own. It does not run as
 * root: started by root, it runs as the user `postgres`, or `nobody` where there is none.
 */
import { type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { temporaryDirectory } from "./temporary-directory.ts";

/** Where Debian has a version's programs. */
const VERSIONS = "/usr/lib/postgresql";
const USERS = ["postgres", "nobody"];
const SUPERUSER = "postgres";

/** As one sets it up who knows it, for a machine that it shares; everything else is as shipped. */
export const POSTGRES_SETTINGS: Readonly<Record<string, string>> = {
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  wal_compression: "off",
  shared_buffers: "1GB",
  effective_cache_size: "4GB",
  wal_buffers: "16MB",
  max_wal_size: "8GB",
  checkpoint_timeout: "30min",
  random_page_cost: "1.1",
  max_connections: "50",
  timezone: "UTC",
  listen_addresses: "",
};

export interface PostgresProgram {
  /** The directory of `postgres` and `initdb`. */
  readonly directory: string;
  readonly version: string;
}

export interface PostgresProcess extends AsyncDisposable {
  readonly pid: number;
  /** The directory of its socket, which a client takes for a host. */
  readonly host: string;
  readonly user: string;
}

/** The newest that is installed, or undefined where there is none. */
export function findPostgres(): PostgresProgram | undefined {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  const candidates = [
    ...versions
      .toSorted((a, b) => Number(b) - Number(a))
      .map((name) => join(VERSIONS, name, "bin")),
    ...(process.env.PATH ?? "").split(delimiter),
  ];
  const directory = candidates.find((candidate) =>
    ["postgres", "initdb"].every((name) => existsSync(join(candidate, name))),
  );
  if (directory === undefined) return undefined;
  const { stdout } = spawnSync(join(directory, "postgres"), ["--version"], { encoding: "utf8" });
  return { directory, version: /[\d.]+/.exec(stdout)?.[0] ?? stdout.trim() };
}

/** Whom it runs as: nobody else than this process, unless that is root. */
function owner(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (option: string, user: string) => {
    const { status, stdout } = spawnSync("id", [option, user], { encoding: "utf8" });
    return status === 0 ? Number(stdout) : undefined;
  };
  for (const user of USERS) {
    const [uid, gid] = [idOf("-u", user), idOf("-g", user)];
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error(`PostgreSQL does not run as root, and there is no user ${USERS.join(" or ")}`);
}

/** Makes an empty database cluster and serves it; at its disposal the server is stopped, and its files are gone. */
export async function startPostgres({ directory }: PostgresProgram): Promise<PostgresProcess> {
  const files = await temporaryDirectory("varve-postgres-");
  const as = owner();
  if (as !== undefined) chownSync(files.path, as.uid, as.gid);
  const options: SpawnOptions = { ...as, cwd: files.path, env: { ...process.env, LC_ALL: "C" } };
  const data = join(files.path, "data");
  const made = spawnSync(
    join(directory, "initdb"),
    ["-D", data, "-U", SUPERUSER, "-E", "UTF8", "--locale=C", "--auth=trust", "--no-sync"],
    { ...options, encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error ?? made.stderr}`);

  const settings = { ...POSTGRES_SETTINGS, unix_socket_directories: files.path };
  const child = spawn(
    join(directory, "postgres"),
    [
      "-D",
      data,
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    { ...options, stdio: ["ignore", "ignore", "pipe"] },
  );
  const exited = once(child, "exit");
  // Immediate shutdown: the server's own processes end with it, which SIGKILL would leave to themselves.
  const quit = () => child.kill("SIGQUIT");
  process.prependOnceListener("exit", quit);
  void exited.then(() => process.off("exit", quit));
  const stop = async () => {
    // Fast shutdown: connections are ended.
    child.kill("SIGINT");
    await exited;
    await files[Symbol.asyncDispose]();
  };

  const said: string[] = [];
  const { stderr } = child;
  if (stderr === null) throw new Error("the server's log is not piped");
  for await (const line of createInterface({ input: stderr })) {
    said.push(line);
    if (!line.includes("ready to accept connections")) continue;
    stderr.resume();
    return { pid: child.pid ?? 0, host: files.path, user: SUPERUSER, [Symbol.asyncDispose]: stop };
  }
  await stop();
  throw new Error(`PostgreSQL ended before it served: ${said.join("\n")}`);
}
