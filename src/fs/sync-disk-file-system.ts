/** The disk by blocking calls, for background workers. */
import assert from "node:assert";
import fs from "node:fs";
import { closeFd, readFully, writeFully } from "./disk-file.ts";
import type { OpenMode, SyncFile, SyncFileSystem } from "./file-system.ts";
import { ioFailure } from "./io-failure.ts";
import { FILE_MODE, OPEN_FLAGS } from "./open-flags.ts";

const CLOSED = -1;

export class SyncDiskFileSystem implements SyncFileSystem {
  open(path: string, mode: OpenMode): SyncFile {
    return new SyncDiskFile(path, openFd(path, mode));
  }

  remove(path: string): void {
    attempt("remove", path, () => fs.unlinkSync(path));
  }

  syncDirectory(path: string): void {
    attempt("sync directory", path, () => {
      const fd = fs.openSync(path, fs.constants.O_RDONLY);
      try {
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
    });
  }
}

export function openFd(path: string, mode: OpenMode): number {
  return attempt("open", path, () => fs.openSync(path, OPEN_FLAGS[mode], FILE_MODE));
}

class SyncDiskFile implements SyncFile {
  readonly path: string;
  #fd: number;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  read(target: Uint8Array, position: number): number {
    return readFully(this.#open(), this.path, target, position);
  }

  write(source: Uint8Array, position: number): void {
    writeFully(this.#open(), this.path, source, position);
  }

  sync(): void {
    const fd = this.#open();
    attempt("sync", this.path, () => fs.fdatasyncSync(fd));
  }

  /** By a thread of libuv's, which begins at once, whether or not this one's event loop turns. */
  syncAndClose(): Promise<void> {
    const fd = this.#open();
    this.#fd = CLOSED;
    return new Promise((resolve, reject) => {
      fs.fdatasync(fd, (syncError) => {
        try {
          closeFd(fd, this.path);
          if (syncError === null) resolve();
          else reject(ioFailure("sync", this.path, syncError));
        } catch (closeError) {
          reject(closeError);
        }
      });
    });
  }

  size(): number {
    const fd = this.#open();
    return attempt("stat", this.path, () => fs.fstatSync(fd).size);
  }

  close(): void {
    const fd = this.#open();
    this.#fd = CLOSED;
    closeFd(fd, this.path);
  }

  #open(): number {
    assert(this.#fd !== CLOSED, `${this.path} is closed`);
    return this.#fd;
  }
}

function attempt<Result>(action: string, path: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw ioFailure(action, path, error);
  }
}
