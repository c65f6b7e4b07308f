/**
 * A file of the disk. Hot path: plain descriptors and callbacks, because a `FileHandle` of Node costs about
 * as much again as the call itself.
 *
 * The owner does not close a file while a call on it is under way: its descriptor's number may by then
 * belong to another file.
 */
import assert from "node:assert";
import fs from "node:fs";
import type { File } from "./file-system.ts";
import { ioFailure } from "./io-failure.ts";
import { OPEN_SYNCED_FLAGS } from "./open-flags.ts";
import type { ReadThreads } from "./read-threads.ts";

const CLOSED = -1;

export class DiskFile implements File {
  readonly path: string;
  #fd: number;
  readonly #readThreads: () => ReadThreads | undefined;
  /** A second descriptor of the same file, whose writes return when they are on the disk. */
  #syncedFd: Promise<number> | undefined;

  /** `readThreads` tells of threads that make small reads. */
  constructor(
    path: string,
    fd: number,
    readThreads: () => ReadThreads | undefined = () => undefined,
  ) {
    this.path = path;
    this.#fd = fd;
    this.#readThreads = readThreads;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    const threads = this.#readThreads();
    if (threads?.mayTake(target.length) !== true) return this.#read(target, position);
    const fd = this.#open();
    return new Promise((resolve, reject) => {
      threads.read(fd, target, position, (bytes) => {
        if (bytes !== undefined) resolve(bytes);
        else this.#read(target, position).then(resolve, reject);
      });
    });
  }

  #read(target: Uint8Array, position: number): Promise<number> {
    const fd = this.#open();
    return new Promise((resolve, reject) => {
      let done = 0;
      const readRest = () => {
        fs.read(fd, target, done, target.length - done, position + done, (error, bytes) => {
          if (error !== null) return reject(ioFailure("read", this.path, error));
          done += bytes;
          if (bytes === 0 || done === target.length) return resolve(done);
          readRest();
        });
      };
      readRest();
    });
  }

  write(source: Uint8Array, position: number): Promise<void> {
    return this.#write(this.#open(), source, position);
  }

  async writeSynced(source: Uint8Array, position: number): Promise<void> {
    const fd = this.#open();
    if (OPEN_SYNCED_FLAGS === undefined) {
      await this.#write(fd, source, position);
      return this.sync();
    }
    this.#syncedFd ??= this.#openSynced(OPEN_SYNCED_FLAGS);
    return this.#write(await this.#syncedFd, source, position);
  }

  sync(): Promise<void> {
    const fd = this.#open();
    return this.#call("sync", (done) => fs.fdatasync(fd, done));
  }

  truncate(bytes: number): Promise<void> {
    const fd = this.#open();
    return this.#call("truncate", (done) => fs.ftruncate(fd, bytes, done));
  }

  size(): Promise<number> {
    const fd = this.#open();
    return new Promise((resolve, reject) => {
      fs.fstat(fd, (error, stats) => {
        if (error === null) resolve(stats.size);
        else reject(ioFailure("stat", this.path, error));
      });
    });
  }

  async close(): Promise<void> {
    const fd = this.#open();
    this.#fd = CLOSED;
    const syncedFd = await this.#syncedFd?.catch(() => undefined);
    if (syncedFd !== undefined) await this.#call("close", (done) => fs.close(syncedFd, done));
    return this.#call("close", (done) => fs.close(fd, done));
  }

  readSync(target: Uint8Array, position: number): number {
    return readFully(this.#open(), this.path, target, position);
  }

  writeSync(source: Uint8Array, position: number): void {
    writeFully(this.#open(), this.path, source, position);
  }

  /** Only for files that were not written to through `writeSynced`, whose second descriptor opens off the loop. */
  closeSync(): void {
    assert(this.#syncedFd === undefined);
    const fd = this.#open();
    this.#fd = CLOSED;
    closeFd(fd, this.path);
  }

  #open(): number {
    assert(this.#fd !== CLOSED, `${this.path} is closed`);
    return this.#fd;
  }

  #openSynced(flags: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.open(this.path, flags, (error, fd) => {
        if (error === null) resolve(fd);
        else reject(ioFailure("open", this.path, error));
      });
    });
  }

  #write(fd: number, source: Uint8Array, position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let done = 0;
      const writeRest = () => {
        fs.write(fd, source, done, source.length - done, position + done, (error, bytes) => {
          if (error !== null) return reject(ioFailure("write", this.path, error));
          done += bytes;
          if (done === source.length) return resolve();
          writeRest();
        });
      };
      writeRest();
    });
  }

  #call(action: string, start: (done: fs.NoParamCallback) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      start((error) => {
        if (error === null) resolve();
        else reject(ioFailure(action, this.path, error));
      });
    });
  }
}

/** Fills `target` from `position`, blocking; returns the bytes read, fewer only where the file ends. */
export function readFully(fd: number, path: string, target: Uint8Array, position: number): number {
  let done = 0;
  try {
    while (done < target.length) {
      const bytes = fs.readSync(fd, target, done, target.length - done, position + done);
      if (bytes === 0) break;
      done += bytes;
    }
  } catch (error) {
    throw ioFailure("read", path, error);
  }
  return done;
}

/** Writes all of `source` at `position`, blocking. */
export function writeFully(fd: number, path: string, source: Uint8Array, position: number): void {
  try {
    let done = 0;
    while (done < source.length) {
      done += fs.writeSync(fd, source, done, source.length - done, position + done);
    }
  } catch (error) {
    throw ioFailure("write", path, error);
  }
}

export function closeFd(fd: number, path: string): void {
  try {
    fs.closeSync(fd);
  } catch (error) {
    throw ioFailure("close", path, error);
  }
}
