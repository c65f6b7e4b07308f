/** An open file of the disk in memory, with its asynchronous and its blocking side. */
import assert from "node:assert";
import type { File, SyncFile } from "../../src/fs/file-system.ts";
import type { OperationKind } from "./memory-file-system.ts";
import type { MemoryInode } from "./memory-inode.ts";

export interface MemoryFileHost {
  perform<Result>(
    kind: OperationKind,
    path: string,
    apply: () => Result,
    settle?: () => void,
  ): Result;
  scheduled(): Promise<void>;
  fileClosed(): void;
}

export class MemoryFile implements File {
  readonly path: string;
  readonly #host: MemoryFileHost;
  readonly #inode: MemoryInode;
  readonly #writable: boolean;
  #closed = false;

  constructor(host: MemoryFileHost, path: string, inode: MemoryInode, writable: boolean) {
    this.#host = host;
    this.path = path;
    this.#inode = inode;
    this.#writable = writable;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    await this.#host.scheduled();
    return this.readSync(target, position);
  }

  async write(source: Uint8Array, position: number): Promise<void> {
    await this.#host.scheduled();
    this.writeSync(source, position);
  }

  async writeSynced(source: Uint8Array, position: number): Promise<void> {
    await this.#host.scheduled();
    this.#assertWritable();
    this.#host.perform(
      "writeSynced",
      this.path,
      () => this.#inode.write(source, position),
      () => this.#inode.settleLast(),
    );
  }

  async sync(): Promise<void> {
    // What is written while the sync is under way need not be covered by it.
    const mark = this.#inode.mark;
    await this.#host.scheduled();
    this.#sync(mark);
  }

  async truncate(bytes: number): Promise<void> {
    await this.#host.scheduled();
    this.#assertWritable();
    this.#host.perform("truncate", this.path, () => this.#inode.truncate(bytes));
  }

  async size(): Promise<number> {
    await this.#host.scheduled();
    this.#assertOpen();
    return this.#inode.size;
  }

  async close(): Promise<void> {
    this.closeSync();
  }

  readSync(target: Uint8Array, position: number): number {
    this.#assertOpen();
    return this.#host.perform("read", this.path, () => this.#inode.read(target, position));
  }

  writeSync(source: Uint8Array, position: number): void {
    this.#assertWritable();
    this.#host.perform("write", this.path, () => this.#inode.write(source, position));
  }

  closeSync(): void {
    this.#assertOpen();
    this.#closed = true;
    this.#host.fileClosed();
  }

  blocking(): SyncFile {
    return {
      path: this.path,
      read: (target, position) => this.readSync(target, position),
      write: (source, position) => this.writeSync(source, position),
      sync: () => this.#sync(this.#inode.mark),
      syncAndClose: () => this.#syncAndClose(),
      size: () => this.#inode.size,
      close: () => this.closeSync(),
    };
  }

  async #syncAndClose(): Promise<void> {
    const { mark } = this.#inode;
    try {
      await this.#host.scheduled();
      this.#sync(mark);
    } finally {
      this.closeSync();
    }
  }

  #sync(mark: number): void {
    this.#assertOpen();
    this.#host.perform(
      "sync",
      this.path,
      () => {},
      () => this.#inode.settle(mark),
    );
  }

  #assertOpen(): void {
    assert(!this.#closed, `${this.path} is closed`);
  }

  #assertWritable(): void {
    this.#assertOpen();
    assert(this.#writable, `${this.path} is open for reading only`);
  }
}
