/** The disk, but that what is written to a log reaches it late: a broken disk, or a broken engine, at will. */
import { setTimeout as delay } from "node:timers/promises";
import { DiskFileSystem } from "../../src/fs/disk-file-system.ts";
import type { File, OpenMode } from "../../src/fs/file-system.ts";

const LATE_MS = 25;

export class LateLogFileSystem extends DiskFileSystem {
  readonly #saysWhen: "at once" | "when written";

  /** When a write or sync of a log resolves: at once, as if it had been done, or when it is. */
  constructor(saysWhen: "at once" | "when written") {
    super();
    this.#saysWhen = saysWhen;
  }

  override async open(path: string, mode: OpenMode): Promise<File> {
    const file = await super.open(path, mode);
    return path.endsWith(".log") && mode !== "read" ? new LateFile(file, this.#saysWhen) : file;
  }
}

class LateFile implements File {
  readonly path: string;
  readonly #base: File;
  readonly #saysWhen: "at once" | "when written";
  #written: Promise<void> = Promise.resolve();

  constructor(base: File, saysWhen: "at once" | "when written") {
    this.#base = base;
    this.path = base.path;
    this.#saysWhen = saysWhen;
  }

  write(source: Uint8Array, position: number): Promise<void> {
    const copy = new Uint8Array(source);
    return this.#later(() => this.#base.write(copy, position));
  }

  writeSynced(source: Uint8Array, position: number): Promise<void> {
    const copy = new Uint8Array(source);
    return this.#later(() => this.#base.writeSynced(copy, position));
  }

  sync(): Promise<void> {
    return this.#later(() => this.#base.sync());
  }

  async truncate(bytes: number): Promise<void> {
    await this.#written;
    await this.#base.truncate(bytes);
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#base.read(target, position);
  }

  size(): Promise<number> {
    return this.#base.size();
  }

  async close(): Promise<void> {
    await this.#written;
    await this.#base.close();
  }

  readSync(target: Uint8Array, position: number): number {
    return this.#base.readSync(target, position);
  }

  writeSync(source: Uint8Array, position: number): void {
    if (this.#saysWhen === "when written") {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LATE_MS);
      this.#base.writeSync(source, position);
    } else this.write(source, position);
  }

  closeSync(): void {
    this.#base.closeSync();
  }

  async #later(act: () => Promise<void>): Promise<void> {
    const due = delay(LATE_MS);
    this.#written = this.#written.then(() => due).then(act);
    if (this.#saysWhen === "when written") await this.#written;
  }
}
