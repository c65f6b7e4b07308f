/**
 * Memory cgroups, by which the kernel holds a process to a limit that counts what it allocates and, unlike any
 * limit of a store's own, what is cached of the files that it reads and writes.
 *
 * Groups are made below the group that this process is in, so that limits set from outside still hold. In
 * version 2 no group but the root may have both processes and groups with limits, so there it is the nearest
 * group above that can have such groups, unless one that is left for it has a limit.
 *
 * What was made is removed by `remove`, or at the exit of this process. A process that a signal ends has no
 * exit, unless it calls for one itself, as `bench.ts` does; after SIGKILL empty groups stay behind.
 */
import assert from "node:assert";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** Where the kernel shows its groups. Tests put a tree of plain files in its place. */
export interface CgroupTree {
  readonly root: string;
  /** The groups that this process is in, as in `/proc/self/cgroup`. */
  readonly own: string;
  /** The kernel puts its files into a group when it is made. */
  makeGroup(path: string): void;
  /** Throws `EBUSY` while a process is in the group. */
  removeGroup(path: string): void;
  write(file: string, text: string): void;
}

function kernelTree(): CgroupTree {
  const own = "/proc/self/cgroup";
  return {
    root: "/sys/fs/cgroup",
    own: existsSync(own) ? readFileSync(own, "utf8") : "",
    makeGroup: (path) => mkdirSync(path),
    removeGroup: rmdirSync,
    write: writeFileSync,
  };
}

type CgroupVersion = 1 | 2;

/** The file with the limit of a group, and what the one for memory and swap is set to, where there is a swap. */
const LIMIT_FILES = {
  1: {
    limit: "memory.limit_in_bytes",
    swap: "memory.memsw.limit_in_bytes",
    swapBytes: (limitBytes: number) => limitBytes,
  },
  2: { limit: "memory.max", swap: "memory.swap.max", swapBytes: () => 0 },
} as const;

const PROCESSES = "cgroup.procs";
/** Of a group in version 2: what it can limit, and what the groups in it can. */
const CONTROLLERS = "cgroup.controllers";
const CONTROLLERS_WITHIN = "cgroup.subtree_control";

/** A process that was killed a moment ago is still in its group. */
const REMOVE_TRIES = 500;
const REMOVE_PAUSE_MS = 10;

/** Why no group can be made, to be printed with the results. */
export interface NoCgroups {
  readonly reason: string;
}

/** The group in which groups are made. */
interface Parent {
  readonly path: string;
  /** Whether groups in it can limit memory only since it was told so, which is undone at the end. */
  readonly isChanged: boolean;
}

export function openMemoryCgroups(tree: CgroupTree = kernelTree()): MemoryCgroups | NoCgroups {
  const version = existsSync(join(tree.root, CONTROLLERS)) ? 2 : 1;
  const parent = version === 2 ? findParent2(tree) : findParent1(tree);
  return "reason" in parent ? parent : new MemoryCgroups(version, parent, tree);
}

/** In version 1 each controller has a tree of its own, in which any group may have groups. */
function findParent1({ root, own }: CgroupTree): Parent | NoCgroups {
  const memory = join(root, "memory");
  if (!existsSync(memory)) return { reason: `there are no memory cgroups in ${root}` };
  const path = groupIn(memory, /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(own)?.[1]);
  return isWritable(path) ? { path, isChanged: false } : { reason: `${path} is not writable` };
}

function findParent2(tree: CgroupTree): Parent | NoCgroups {
  const { root, own } = tree;
  for (let path = groupIn(root, /^0::(.*)$/m.exec(own)?.[1]); ; path = dirname(path)) {
    if (!wordsOf(join(path, CONTROLLERS)).includes("memory")) {
      return { reason: `${path} cannot limit memory` };
    }
    if (isWritable(path)) {
      if (wordsOf(join(path, CONTROLLERS_WITHIN)).includes("memory")) {
        return { path, isChanged: false };
      }
      if (canWrite(tree, join(path, CONTROLLERS_WITHIN), "+memory")) {
        return { path, isChanged: true };
      }
    }
    if (path === root) return { reason: `no group in ${root} above this process can be changed` };
    if (wordsOf(join(path, LIMIT_FILES[2].limit)).join() !== "max") {
      return { reason: `no group can be made in ${path}, which has a limit` };
    }
  }
}

/** The group of that name; the top where the name is one from outside of the container that this is in. */
function groupIn(top: string, name = ""): string {
  const path = join(top, name).replace(/\/$/, "");
  return existsSync(path) ? path : top;
}

/** Whether groups can be made in a group, and its processes moved to them. */
function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    accessSync(join(path, PROCESSES), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function wordsOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, "utf8").trim().split(/\s+/) : [];
}

function canWrite(tree: CgroupTree, file: string, text: string): boolean {
  try {
    tree.write(file, text);
    return true;
  } catch {
    return false;
  }
}

export class MemoryCgroups implements Disposable {
  readonly version: CgroupVersion;
  readonly #parent: Parent;
  readonly #tree: CgroupTree;
  readonly #groups: string[] = [];

  constructor(version: CgroupVersion, parent: Parent, tree: CgroupTree) {
    this.version = version;
    this.#parent = parent;
    this.#tree = tree;
    process.once("exit", this.#removeAtExit);
  }

  /** Makes a group whose processes have `limitBytes` together; `name` is part of its own. */
  create(name: string, limitBytes: number): MemoryCgroup {
    const path = join(this.#parent.path, `varve-bench-${process.pid}-${name}`);
    const { limit, swap, swapBytes } = LIMIT_FILES[this.version];
    this.#tree.makeGroup(path);
    this.#groups.push(path);
    this.#tree.write(join(path, limit), String(limitBytes));
    if (existsSync(join(path, swap))) {
      this.#tree.write(join(path, swap), String(swapBytes(limitBytes)));
    }
    return new MemoryCgroup(path, this.#tree);
  }

  /** Removes all that was made. Waits a little for processes that are ending; throws `EBUSY` where one stays. */
  remove(): void {
    for (let path = this.#groups.at(-1); path !== undefined; path = this.#groups.at(-1)) {
      this.#removeGroup(path);
      this.#groups.pop();
    }
    if (this.#parent.isChanged) {
      this.#tree.write(join(this.#parent.path, CONTROLLERS_WITHIN), "-memory");
    }
    process.off("exit", this.#removeAtExit);
  }

  [Symbol.dispose](): void {
    this.remove();
  }

  #removeGroup(path: string): void {
    for (let tries = 1; ; tries++) {
      try {
        this.#tree.removeGroup(path);
        return;
      } catch (error) {
        const isBusy = (error as NodeJS.ErrnoException).code === "EBUSY";
        if (!isBusy || tries === REMOVE_TRIES) throw error;
        // At the exit of a process nothing can be awaited.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, REMOVE_PAUSE_MS);
      }
    }
  }

  readonly #removeAtExit = (): void => this.remove();
}

export class MemoryCgroup {
  readonly path: string;
  readonly #tree: CgroupTree;

  constructor(path: string, tree: CgroupTree) {
    this.path = path;
    this.#tree = tree;
  }

  /**
   * Moves a process here, with all its threads. What it has allocated before stays with the group that it
   * comes from, so this is done as soon as the process is there.
   */
  add(pid: number): void {
    // The kernel takes 0 for the process that writes it.
    assert(pid > 0, "the process has not started");
    this.#tree.write(join(this.path, PROCESSES), String(pid));
  }
}
