/**
 * The lock file, which keeps two processes from opening one database. It names its owner:
 *
 *   pid startTime nonce
 *
 * A process is known by its id and start time together, since ids are used again; the nonce is of this one
 * taking of the lock. The lock of a process that has died is taken over.
 *
 * Invariants:
 * - A lock file appears whole, by `link`, which fails where the name exists.
 * - The file of a dead owner X is replaced, by `rename`, only by the holder of the guard file that is named
 *   after X's nonce, and only after that holder has read under the guard that X is still there. So of many
 *   who find X dead, one replaces it and the others then find the winner.
 * - A guard is a lock file as any other: that of a dead holder is taken over in the same way, under a guard
 *   that is named after that holder. No nonce comes back, so a guard that was left behind harms nobody.
 */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, readdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { VarveError } from "../errors.ts";
import type { Lock } from "./file-system.ts";
import { ioFailure, systemCodeOf } from "./io-failure.ts";
import { FILE_MODE } from "./open-flags.ts";

/** Where the system does not say when a process started; then a process id alone decides. */
const START_UNKNOWN = "-";

interface Owner {
  readonly text: string;
  readonly pid: number;
  readonly startTime: string;
  readonly nonce: string;
}

/** Takes the lock at `path`, or throws `LOCKED`. */
export async function takeLock(path: string): Promise<Lock> {
  try {
    const own = await acquire(path, path);
    await removeLeftBehind(path);
    return { release: () => releaseOwn(path, own) };
  } catch (error) {
    throw error instanceof VarveError ? error : ioFailure("lock", path, error);
  }
}

/** Makes `path`, the lock file at `base` or one of its guards, ours; returns what it then says. */
async function acquire(path: string, base: string): Promise<string> {
  const nonce = randomUUID();
  const own = `${process.pid} ${startTimeOf(process.pid) ?? START_UNKNOWN} ${nonce}\n`;
  const prepared = `${base}.${nonce}.new`;
  await writeFile(prepared, own, { flag: "wx", mode: FILE_MODE });
  try {
    for (;;) {
      if (await createByLink(prepared, path)) return own;
      const owner = await readOwner(path);
      if (owner === undefined) continue;
      if (isAlive(owner)) throw lockedBy(owner, base);

      const guard = `${base}.${owner.nonce}`;
      const ownGuard = await acquire(guard, base);
      try {
        if ((await readOwner(path))?.text === owner.text) {
          await rename(prepared, path);
          return own;
        }
      } finally {
        await releaseOwn(guard, ownGuard);
      }
    }
  } finally {
    await removeIfExists(prepared);
  }
}

function lockedBy(owner: Owner, path: string): VarveError {
  const who = owner.pid === process.pid ? "this process" : "another process";
  return new VarveError("LOCKED", `${path} is held by ${who}, pid ${owner.pid}`);
}

async function createByLink(source: string, path: string): Promise<boolean> {
  try {
    await link(source, path);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * `undefined` where the file does not exist. What cannot be read as an owner is what a loss of power left,
 * since a lock file appears whole: an owner that is dead.
 */
async function readOwner(path: string): Promise<Owner | undefined> {
  let text: string;
  try {
    text = await readFile(path, "latin1");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const match = /^([1-9]\d{0,9}) (\d+|-) ([0-9a-f-]{36})\n$/.exec(text);
  if (match === null) return { text, pid: 0, startTime: START_UNKNOWN, nonce: "unreadable" };
  return { text, pid: Number(match[1]), startTime: match[2] ?? "", nonce: match[3] ?? "" };
}

function isAlive(owner: Owner): boolean {
  if (owner.pid === 0) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: a process of another user.
    if (systemCodeOf(error) === "ESRCH") return false;
  }
  const startTime = startTimeOf(owner.pid);
  if (startTime === "dead") return false;
  if (startTime === undefined || owner.startTime === START_UNKNOWN) return true;
  return startTime === owner.startTime;
}

/**
 * When a process started, in the system's ticks since boot; "dead" for one that has ended and only waits to
 * be collected by its parent; `undefined` where the system does not say.
 */
function startTimeOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses, and may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return "dead";
  return fields[19];
}

/** Removes `path` where it is still the file that says `own`. */
async function releaseOwn(path: string, own: string): Promise<void> {
  try {
    if ((await readOwner(path))?.text === own) await removeIfExists(path);
  } catch (error) {
    throw ioFailure("release lock", path, error);
  }
}

/**
 * What takers that died in the middle left beside the lock file, which is ours now. A file that says no owner
 * stays: a taker that lives may be about to write it.
 */
async function removeLeftBehind(path: string): Promise<void> {
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix)) continue;
    const other = join(directory, name);
    const owner = await readOwner(other);
    if (owner !== undefined && owner.pid !== 0 && !isAlive(owner)) await removeIfExists(other);
  }
}

async function removeIfExists(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") throw error;
  }
}
