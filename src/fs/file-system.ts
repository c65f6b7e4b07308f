/**
 * The file system and the clock as interfaces, so that tests can put a disk that loses power, fails or
 * fills up in place of the real one. The main thread uses the asynchronous side, which never holds the
 * event loop; background workers use the synchronous side, which is the fastest that Node has.
 *
 * Failures are `VarveError`s: `IO_ERROR` with path and cause in general, `NO_SPACE` for a full disk or an
 * exceeded quota. "Not found" is told apart where a caller needs it (`exists`).
 *
 * Durability, as POSIX has it: a file's bytes are on the disk after `sync`; its name (create, rename,
 * remove) only after `syncDirectory` of the directory that holds it.
 */

/**
 * - `read`: an existing file, for reading.
 * - `create`: a new file, for reading and writing; fails where the name exists.
 * - `write`: an existing file, for reading and writing.
 */
export type OpenMode = "read" | "create" | "write";

export interface File {
  readonly path: string;
  /** Fills `target` from `position`; returns the bytes read, fewer only where the file ends. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes all of `source` at `position`, or throws. */
  write(source: Uint8Array, position: number): Promise<void>;
  /** `write`, on the disk when it resolves: these bytes alone, none written before by `write`. */
  writeSynced(source: Uint8Array, position: number): Promise<void>;
  /** Puts all that was written on the disk (`fdatasync`). */
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
  /** Blocking twin of `read`, for callers that chose to wait (`getSync`). */
  readSync(target: Uint8Array, position: number): number;
  /** Blocking twin of `write`. */
  writeSync(source: Uint8Array, position: number): void;
  closeSync(): void;
}

export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<File>;
  /** Blocking twin of `open`, for callers that chose to wait (`getSync`). */
  openSync(path: string, mode: OpenMode): File;
  exists(path: string): Promise<boolean>;
  /** Names in a directory, sorted. */
  list(directory: string): Promise<string[]>;
  /** Makes the directory and its parents; an existing one is fine. */
  makeDirectory(path: string): Promise<void>;
  /** Atomically replaces `target` where it exists. */
  rename(source: string, target: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** Free bytes for this user on the volume that holds `path`. */
  freeBytes(path: string): Promise<number>;
  /** Takes the lock file at `path` for this process; throws `LOCKED`, naming the owner's pid, where it is held. */
  lock(path: string): Promise<Lock>;
  /** Files this process may hold open at once, of which the engine uses a part. */
  openFilesLimit(): number;
  readonly sync: SyncFileSystem;
}

export interface Lock {
  release(): Promise<void>;
}

/** The synchronous side. Used by background workers, and by the inline background in tests. */
export interface SyncFileSystem {
  open(path: string, mode: OpenMode): SyncFile;
  remove(path: string): void;
  syncDirectory(path: string): void;
}

export interface SyncFile {
  readonly path: string;
  read(target: Uint8Array, position: number): number;
  write(source: Uint8Array, position: number): void;
  sync(): void;
  /**
   * Puts all that was written on the disk while the thread goes on, then closes the file, whatever came of it. The file
   * takes no more calls.
   */
  syncAndClose(): Promise<void>;
  size(): number;
  close(): void;
}
