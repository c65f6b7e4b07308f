/** A file system whose operations fail by plan: a list of rules over another file system. */
import type {
  File,
  FileSystem,
  Lock,
  OpenMode,
  SyncFile,
  SyncFileSystem,
} from "../../src/fs/file-system.ts";
import { ioFailure } from "../../src/fs/io-failure.ts";
import type { OperationKind } from "./memory-file-system.ts";

export interface FaultRule {
  readonly kinds: readonly OperationKind[];
  /** The paths it applies to; all where absent. */
  readonly path?: RegExp;
  /** Fails the nth operation that matches, counting from 1; every one where absent. */
  readonly nth?: number;
  /** Fails only while this holds. */
  readonly when?: () => boolean;
  /**
   * - a system's error code, such as `EIO` or `ENOSPC`: the operation has no effect.
   * - `torn`: a write stores its first half and fails with `EIO`.
   * - `short`: a read returns half of what there is.
   */
  readonly fault: "EIO" | "ENOSPC" | "EMFILE" | "torn" | "short";
}

export class FaultyFileSystem implements FileSystem {
  readonly sync: SyncFileSystem;
  readonly #base: FileSystem;
  #rules: { readonly rule: FaultRule; seen: number }[] = [];
  /** What `freeBytes` says; the base's answer where undefined. */
  free: number | undefined;

  constructor(base: FileSystem, rules: readonly FaultRule[] = []) {
    this.#base = base;
    this.setRules(rules);
    this.sync = {
      open: (path, mode) => {
        this.strike(openKind(mode), path);
        return new FaultySyncFile(this, this.#base.sync.open(path, mode));
      },
      remove: (path) => {
        this.strike("remove", path);
        this.#base.sync.remove(path);
      },
      syncDirectory: (path) => {
        this.strike("syncDirectory", path);
        this.#base.sync.syncDirectory(path);
      },
    };
  }

  /** Replaces the plan; counting starts anew. */
  setRules(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, seen: 0 }));
  }

  /** Throws what the plan has for this operation; returns a fault that the operation must act out itself. */
  strike(kind: OperationKind, path: string): "torn" | "short" | undefined {
    for (const state of this.#rules) {
      const { rule } = state;
      if (!rule.kinds.includes(kind) || rule.path?.test(path) === false) continue;
      if (rule.when?.() === false) continue;
      state.seen++;
      if (rule.nth !== undefined && rule.nth !== state.seen) continue;
      if (rule.fault === "torn" || rule.fault === "short") return rule.fault;
      throw injected(kind, path, rule.fault);
    }
    return undefined;
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    this.strike(openKind(mode), path);
    return new FaultyFile(this, await this.#base.open(path, mode));
  }

  openSync(path: string, mode: OpenMode): File {
    this.strike(openKind(mode), path);
    return new FaultyFile(this, this.#base.openSync(path, mode));
  }

  async exists(path: string): Promise<boolean> {
    this.strike("exists", path);
    return this.#base.exists(path);
  }

  async list(directory: string): Promise<string[]> {
    this.strike("list", directory);
    return this.#base.list(directory);
  }

  async makeDirectory(path: string): Promise<void> {
    this.strike("makeDirectory", path);
    await this.#base.makeDirectory(path);
  }

  async rename(source: string, target: string): Promise<void> {
    this.strike("rename", source);
    await this.#base.rename(source, target);
  }

  async remove(path: string): Promise<void> {
    this.strike("remove", path);
    await this.#base.remove(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.strike("syncDirectory", path);
    await this.#base.syncDirectory(path);
  }

  async freeBytes(path: string): Promise<number> {
    return this.free ?? (await this.#base.freeBytes(path));
  }

  lock(path: string): Promise<Lock> {
    return this.#base.lock(path);
  }

  openFilesLimit(): number {
    return this.#base.openFilesLimit();
  }
}

class FaultyFile implements File {
  readonly path: string;
  readonly #faults: FaultyFileSystem;
  readonly #base: File;

  constructor(faults: FaultyFileSystem, base: File) {
    this.#faults = faults;
    this.#base = base;
    this.path = base.path;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const fault = this.#faults.strike("read", this.path);
    return this.#base.read(fault === undefined ? target : half(target), position);
  }

  async write(source: Uint8Array, position: number): Promise<void> {
    const fault = this.#faults.strike("write", this.path);
    await this.#base.write(fault === undefined ? source : half(source), position);
    if (fault !== undefined) throw injected("write", this.path, "EIO");
  }

  writeSync(source: Uint8Array, position: number): void {
    const fault = this.#faults.strike("write", this.path);
    this.#base.writeSync(fault === undefined ? source : half(source), position);
    if (fault !== undefined) throw injected("write", this.path, "EIO");
  }

  async writeSynced(source: Uint8Array, position: number): Promise<void> {
    const fault = this.#faults.strike("writeSynced", this.path);
    if (fault === undefined) return this.#base.writeSynced(source, position);
    await this.#base.write(half(source), position);
    throw injected("writeSynced", this.path, "EIO");
  }

  async sync(): Promise<void> {
    this.#faults.strike("sync", this.path);
    await this.#base.sync();
  }

  async truncate(bytes: number): Promise<void> {
    this.#faults.strike("truncate", this.path);
    await this.#base.truncate(bytes);
  }

  size(): Promise<number> {
    return this.#base.size();
  }

  close(): Promise<void> {
    return this.#base.close();
  }

  readSync(target: Uint8Array, position: number): number {
    const fault = this.#faults.strike("read", this.path);
    return this.#base.readSync(fault === undefined ? target : half(target), position);
  }

  closeSync(): void {
    this.#base.closeSync();
  }
}

class FaultySyncFile implements SyncFile {
  readonly path: string;
  readonly #faults: FaultyFileSystem;
  readonly #base: SyncFile;

  constructor(faults: FaultyFileSystem, base: SyncFile) {
    this.#faults = faults;
    this.#base = base;
    this.path = base.path;
  }

  read(target: Uint8Array, position: number): number {
    const fault = this.#faults.strike("read", this.path);
    return this.#base.read(fault === undefined ? target : half(target), position);
  }

  write(source: Uint8Array, position: number): void {
    const fault = this.#faults.strike("write", this.path);
    this.#base.write(fault === undefined ? source : half(source), position);
    if (fault !== undefined) throw injected("write", this.path, "EIO");
  }

  sync(): void {
    this.#faults.strike("sync", this.path);
    this.#base.sync();
  }

  async syncAndClose(): Promise<void> {
    try {
      this.#faults.strike("sync", this.path);
    } catch (error) {
      this.#base.close();
      throw error;
    }
    await this.#base.syncAndClose();
  }

  size(): number {
    return this.#base.size();
  }

  close(): void {
    this.#base.close();
  }
}

function openKind(mode: OpenMode): OperationKind {
  return mode === "create" ? "create" : "open";
}

function half(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.length >> 1);
}

function injected(kind: OperationKind, path: string, code: string): Error {
  return ioFailure(kind, path, Object.assign(new Error(`${code}: injected`), { code }));
}
