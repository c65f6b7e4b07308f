/** The disk of this machine. */
import fs from "node:fs";
import { access, mkdir, open, readdir, rename, statfs, unlink } from "node:fs/promises";
import { DiskFile } from "./disk-file.ts";
import { takeLock } from "./disk-lock.ts";
import type { File, FileSystem, Lock, OpenMode } from "./file-system.ts";
import { ioFailure, systemCodeOf } from "./io-failure.ts";
import { FILE_MODE, OPEN_FLAGS } from "./open-flags.ts";
import { ReadThreads } from "./read-threads.ts";
import { openFd, SyncDiskFileSystem } from "./sync-disk-file-system.ts";

/** What POSIX systems allow at least in practice, where the system does not say. */
const OPEN_FILES_FALLBACK = 1024;

/** So many reads show that a thread for them is worth its start. */
const READS_FOR_THREADS = 200;

export class DiskFileSystem implements FileSystem {
  readonly sync = new SyncDiskFileSystem();
  #reads = 0;
  #readThreads: ReadThreads | undefined;
  #closed = false;

  open(path: string, mode: OpenMode): Promise<File> {
    return new Promise((resolve, reject) => {
      fs.open(path, OPEN_FLAGS[mode], FILE_MODE, (error, fd) => {
        if (error === null) resolve(new DiskFile(path, fd, this.#threads));
        else reject(ioFailure("open", path, error));
      });
    });
  }

  openSync(path: string, mode: OpenMode): File {
    return new DiskFile(path, openFd(path, mode), this.#threads);
  }

  /** Ends the threads that read. No call may be under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#readThreads?.close();
    this.#readThreads = undefined;
  }

  /** Asked for each read; starts the threads when there are many. */
  readonly #threads = (): ReadThreads | undefined => {
    if (this.#readThreads === undefined && ++this.#reads > READS_FOR_THREADS && !this.#closed) {
      this.#readThreads = new ReadThreads();
    }
    return this.#readThreads;
  };

  async exists(path: string): Promise<boolean> {
    try {
      await access(path);
      return true;
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return false;
      throw ioFailure("look up", path, error);
    }
  }

  async list(directory: string): Promise<string[]> {
    const names = await attempt("list", directory, () => readdir(directory));
    return names.sort();
  }

  async makeDirectory(path: string): Promise<void> {
    await attempt("make directory", path, () => mkdir(path, { recursive: true }));
  }

  rename(source: string, target: string): Promise<void> {
    return attempt("rename", source, () => rename(source, target));
  }

  remove(path: string): Promise<void> {
    return attempt("remove", path, () => unlink(path));
  }

  syncDirectory(path: string): Promise<void> {
    return attempt("sync directory", path, async () => {
      await using directory = await open(path, "r");
      await directory.sync();
    });
  }

  async freeBytes(path: string): Promise<number> {
    const volume = await attempt("ask the free space at", path, () => statfs(path));
    return volume.bavail * volume.bsize;
  }

  lock(path: string): Promise<Lock> {
    return takeLock(path);
  }

  openFilesLimit(): number {
    let limits: string;
    try {
      limits = fs.readFileSync("/proc/self/limits", "utf8");
    } catch {
      return OPEN_FILES_FALLBACK;
    }
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
    if (soft === undefined) return OPEN_FILES_FALLBACK;
    return soft === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(soft);
  }
}

async function attempt<Result>(
  action: string,
  path: string,
  call: () => Promise<Result>,
): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw ioFailure(action, path, error);
  }
}
