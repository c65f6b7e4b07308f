/**
 * A disk in memory that can lose power. After Pebble's `MemFS.CrashClone`: it remembers apart what was
 * written and what was synced, of file content (by inode) and of names (by directory), and makes from a seed
 * any state that a real disk may be in after a loss of power.
 *
 * Names: an unsynced create, rename or remove is kept or lost on its own, but one that is kept implies the
 * earlier ones of the same names, as in a journal. A rename is one change, so its file has the old name or
 * the new one.
 */
import { basename, dirname } from "node:path";
import { VarveError } from "../../src/errors.ts";
import type {
  File,
  FileSystem,
  Lock,
  OpenMode,
  SyncFile,
  SyncFileSystem,
} from "../../src/fs/file-system.ts";
import { ioFailure } from "../../src/fs/io-failure.ts";
import { MemoryFile, type MemoryFileHost } from "./memory-file.ts";
import { MemoryInode } from "./memory-inode.ts";
import { Random } from "./random.ts";

export type OperationKind =
  | "open"
  | "create"
  | "read"
  | "write"
  | "writeSynced"
  | "sync"
  | "truncate"
  | "list"
  | "exists"
  | "makeDirectory"
  | "rename"
  | "remove"
  | "syncDirectory";

const DIRECTORY = "directory";
type Entry = MemoryInode | typeof DIRECTORY;

interface NameChange {
  readonly id: number;
  /** Names that disappear, and the one that then stands for `entry`. */
  readonly removed: string | undefined;
  readonly added: string | undefined;
  readonly entry: Entry;
}

export interface MemoryFileSystemOptions {
  /** Called before every operation. What it throws is the crash: it takes half effect, all later ones fail. */
  readonly onOperation?: (kind: OperationKind, path: string) => void;
  /** Awaited by asynchronous operations before they take effect. */
  readonly schedule?: () => Promise<void>;
}

export class MemoryFileSystem implements FileSystem, MemoryFileHost {
  readonly sync: SyncFileSystem;
  onOperation: ((kind: OperationKind, path: string) => void) | undefined;
  readonly #schedule: () => Promise<void>;
  #names = new Map<string, Entry>([["/", DIRECTORY]]);
  #durableNames = new Map<string, Entry>([["/", DIRECTORY]]);
  #changes: NameChange[] = [];
  #nextId = 0;
  #locks = new Set<string>();
  #crashed = false;
  /** Operations so far. */
  operations = 0;
  /** Files open now. */
  openFiles = 0;
  /** What `freeBytes` says. */
  free = 2 ** 40;

  constructor(options: MemoryFileSystemOptions = {}) {
    this.onOperation = options.onOperation;
    this.#schedule = options.schedule ?? (() => Promise.resolve());
    this.sync = new MemorySyncFileSystem(this);
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  /** From now on every operation fails. */
  crash(): void {
    this.#crashed = true;
  }

  /** The disk as it may be after a loss of power now; `options` are the image's. */
  crashImage(seed: number, options: MemoryFileSystemOptions = {}): MemoryFileSystem {
    const random = new Random(seed);
    const kept = this.#keptChanges(random);
    const names = new Map(this.#durableNames);
    for (const change of kept) applyTo(names, change);
    const image = new MemoryFileSystem(options);
    const copies = new Map<MemoryInode, MemoryInode>();
    for (const [path, entry] of names) {
      if (!isReachable(names, path)) continue;
      if (entry === DIRECTORY) image.#put(path, DIRECTORY);
      else {
        const copy = copies.get(entry) ?? entry.crashCopy(random);
        copies.set(entry, copy);
        image.#put(path, copy);
      }
    }
    return image;
  }

  /**
   * The disk after the process alone has died: everything that was written is there, and what was not synced
   * may still be lost with power. `options` are the image's.
   */
  killImage(options: MemoryFileSystemOptions = {}): MemoryFileSystem {
    const image = new MemoryFileSystem(options);
    const clones = new Map<Entry, Entry>([[DIRECTORY, DIRECTORY]]);
    const cloneOf = (entry: Entry): Entry => {
      const clone = clones.get(entry) ?? (entry as MemoryInode).clone();
      clones.set(entry, clone);
      return clone;
    };
    for (const [path, entry] of this.#names) image.#names.set(path, cloneOf(entry));
    for (const [path, entry] of this.#durableNames) image.#durableNames.set(path, cloneOf(entry));
    image.#changes = this.#changes.map((change) => ({ ...change, entry: cloneOf(change.entry) }));
    image.#nextId = this.#nextId;
    return image;
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    await this.#schedule();
    return this.openSync(path, mode);
  }

  openSync(path: string, mode: OpenMode): MemoryFile {
    const inode = this.perform(mode === "create" ? "create" : "open", path, () => {
      const entry = this.#names.get(path);
      if (entry === DIRECTORY) throw failure("open", path, "EISDIR");
      if (mode !== "create") return entry ?? notFound("open", path);
      if (entry !== undefined) throw failure("open", path, "EEXIST");
      this.#assertParent(path);
      const created = new MemoryInode();
      this.#change(undefined, path, created);
      return created;
    });
    this.openFiles++;
    return new MemoryFile(this, path, inode, mode !== "read");
  }

  async exists(path: string): Promise<boolean> {
    await this.#schedule();
    return this.perform("exists", path, () => this.#names.has(path));
  }

  async list(directory: string): Promise<string[]> {
    await this.#schedule();
    return this.perform("list", directory, () => {
      if (this.#names.get(directory) !== DIRECTORY) notFound("list", directory);
      const paths = [...this.#names.keys()].filter(
        (path) => path !== "/" && dirname(path) === directory,
      );
      return paths.map((path) => basename(path)).sort();
    });
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#schedule();
    this.perform("makeDirectory", path, () => this.#makeDirectory(path));
  }

  async rename(source: string, target: string): Promise<void> {
    await this.#schedule();
    this.perform("rename", source, () => {
      const inode = this.#names.get(source);
      if (inode === undefined || inode === DIRECTORY) return notFound("rename", source);
      // From one directory to another it is durable when the target's is synced.
      if (this.#names.get(dirname(target)) !== DIRECTORY) notFound("rename", target);
      this.#change(source, target, inode);
    });
  }

  async remove(path: string): Promise<void> {
    await this.#schedule();
    this.removeSync(path);
  }

  removeSync(path: string): void {
    this.perform("remove", path, () => {
      const inode = this.#names.get(path);
      if (inode === undefined || inode === DIRECTORY) return notFound("remove", path);
      this.#change(path, undefined, inode);
    });
  }

  async syncDirectory(path: string): Promise<void> {
    const mark = this.#nextId;
    await this.#schedule();
    this.syncDirectorySync(path, mark);
  }

  syncDirectorySync(path: string, mark: number = this.#nextId): void {
    const durable = () => {
      const settled = (change: NameChange) =>
        change.id < mark && dirname(change.added ?? change.removed ?? "") === path;
      for (const change of this.#changes) if (settled(change)) applyTo(this.#durableNames, change);
      this.#changes = this.#changes.filter((change) => !settled(change));
    };
    const check = () => {
      if (this.#names.get(path) !== DIRECTORY) notFound("sync directory", path);
    };
    this.perform("syncDirectory", path, check, durable);
  }

  async freeBytes(_path: string): Promise<number> {
    await this.#schedule();
    return this.free;
  }

  async lock(path: string): Promise<Lock> {
    await this.#schedule();
    if (this.#locks.has(path)) {
      throw new VarveError("LOCKED", `${path} is held by this process, pid ${process.pid}`);
    }
    this.#locks.add(path);
    return {
      release: async () => {
        this.#locks.delete(path);
      },
    };
  }

  openFilesLimit(): number {
    return 1024;
  }

  /**
   * One operation: `apply` is its effect, `settle` makes that durable. In a crash the operation under way has
   * its effect but is not durable, so an image may show it or not.
   */
  perform<Result>(
    kind: OperationKind,
    path: string,
    apply: () => Result,
    settle?: () => void,
  ): Result {
    if (this.#crashed) throw failure(kind, path, "ECRASHED");
    this.operations++;
    try {
      this.onOperation?.(kind, path);
    } catch (error) {
      this.#crashed = true;
      apply();
      throw error;
    }
    const result = apply();
    settle?.();
    return result;
  }

  scheduled(): Promise<void> {
    return this.#schedule();
  }

  fileClosed(): void {
    this.openFiles--;
  }

  #put(path: string, entry: Entry): void {
    this.#names.set(path, entry);
    this.#durableNames.set(path, entry);
  }

  #change(removed: string | undefined, added: string | undefined, entry: Entry): void {
    const change: NameChange = { id: this.#nextId++, removed, added, entry };
    applyTo(this.#names, change);
    this.#changes.push(change);
  }

  #makeDirectory(path: string): void {
    const entry = this.#names.get(path);
    if (entry === DIRECTORY) return;
    if (entry !== undefined) throw failure("make directory", path, "EEXIST");
    this.#makeDirectory(dirname(path));
    this.#change(undefined, path, DIRECTORY);
  }

  #assertParent(path: string): void {
    if (this.#names.get(dirname(path)) !== DIRECTORY) notFound("open", path);
  }

  #keptChanges(random: Random): NameChange[] {
    const keepPercent = random.pick([0, 50, 50, 90, 100]);
    const impliedNames = new Set<string>();
    const kept: NameChange[] = [];
    for (const change of this.#changes.toReversed()) {
      const names = [change.removed, change.added].filter((name) => name !== undefined);
      if (!names.some((name) => impliedNames.has(name)) && !random.chance(keepPercent)) continue;
      for (const name of names) impliedNames.add(name);
      kept.push(change);
    }
    return kept.reverse();
  }
}

class MemorySyncFileSystem implements SyncFileSystem {
  readonly #disk: MemoryFileSystem;

  constructor(disk: MemoryFileSystem) {
    this.#disk = disk;
  }

  open(path: string, mode: OpenMode): SyncFile {
    return this.#disk.openSync(path, mode).blocking();
  }

  remove(path: string): void {
    this.#disk.removeSync(path);
  }

  syncDirectory(path: string): void {
    this.#disk.syncDirectorySync(path);
  }
}

function applyTo(names: Map<string, Entry>, change: NameChange): void {
  if (change.removed !== undefined) names.delete(change.removed);
  if (change.added !== undefined) names.set(change.added, change.entry);
}

function isReachable(names: Map<string, Entry>, path: string): boolean {
  if (path === "/") return true;
  const parent = dirname(path);
  return names.get(parent) === DIRECTORY && isReachable(names, parent);
}

function failure(action: string, path: string, code: string): VarveError {
  return ioFailure(action, path, Object.assign(new Error(code), { code }));
}

function notFound(action: string, path: string): never {
  throw failure(action, path, "ENOENT");
}
