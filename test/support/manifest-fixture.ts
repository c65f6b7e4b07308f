/** What tests of the manifest share: a tree that changes edit by edit, and what reading it back gives. */
import type { FileSystem } from "../../src/fs/file-system.ts";
import { LEVELS } from "../../src/options.ts";
import type { VersionEdit } from "../../src/version/edit.ts";
import { Manifest, type ManifestState } from "../../src/version/manifest.ts";
import { readManifest } from "../../src/version/manifest-reader.ts";
import { Version } from "../../src/version/version.ts";
import { MemoryFileSystem } from "./memory-file-system.ts";
import { Random } from "./random.ts";
import { tableOf } from "./table-metas.ts";

export const MANIFEST_DIRECTORY = "/db";

/** A disk with an empty database directory that is there to stay. */
export async function manifestDisk(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  await fs.makeDirectory(MANIFEST_DIRECTORY);
  await fs.syncDirectory("/");
  return fs;
}

/** All that a manifest makes durable, in a form that is easily compared. */
export function summaryOf({ version, logFloor, lastSequence }: ManifestState): string {
  const levels = Array.from({ length: LEVELS }, (_, level) =>
    version.files(level).map(({ number, smallest }) => `${number}:${Buffer.from(smallest)}`),
  );
  const { prunedTo, keyspaces } = version.past;
  return JSON.stringify({ levels, logFloor, lastSequence, prunedTo, keyspaces });
}

/** What the manifest on the disk says; `undefined` where there is none. */
export async function readSummary(fs: FileSystem): Promise<string | undefined> {
  const content = await readManifest(fs, MANIFEST_DIRECTORY);
  return content === undefined ? undefined : summaryOf(content);
}

/** A tree that grows and changes by seed. */
export class ChangingTree {
  state: ManifestState = { version: Version.EMPTY, logFloor: 0, lastSequence: 0 };
  number: number;
  readonly #random: Random;

  constructor(seed: number, number = 0) {
    this.#random = new Random(seed);
    this.number = number;
  }

  allocate(): number {
    return ++this.number;
  }

  create(fs: FileSystem, bytesMax: number): Promise<Manifest> {
    const allocateNumber = () => this.allocate();
    const options = { fs, directory: MANIFEST_DIRECTORY, allocateNumber, bytesMax };
    return Manifest.create(options, this.state);
  }

  /** The next edit, and the state after it; the caller sets `state` when that is what counts. */
  next(): { edit: VersionEdit; next: ManifestState } {
    const { version } = this.state;
    const number = this.allocate();
    const key = `key:${String(number).padStart(4, "0")}`;
    const oldest = version.level0.at(-1);
    const moves = oldest !== undefined && this.#random.chance(40);
    const logFloor = this.state.logFloor + this.#random.below(2);
    const lastSequence = this.state.lastSequence + 1 + this.#random.below(100);
    const keyspaces = [1, 2, 3].filter(() => this.#random.chance(30));
    const pruned = {
      to: this.#random.chance(40) ? this.#random.below(lastSequence) : 0,
      keyspaces: keyspaces.map((id) => [id, this.#random.below(lastSequence)] as const),
    };
    const past = version.past.after(pruned, () => true);
    const edit: VersionEdit = {
      added: [moves ? { level: 6, table: oldest } : { level: 0, table: tableOf(number, key, key) }],
      removed: moves ? [{ level: 0, number: oldest.number }] : [],
      logFloor,
      lastSequence,
      nextNumber: number + 1,
      ...past.changesSince(version.past),
    };
    return { edit, next: { version: version.apply(edit), logFloor, lastSequence } };
  }

  /** Appends the next edit, which is the state when that is done. */
  async append(manifest: Manifest): Promise<void> {
    const { edit, next } = this.next();
    await manifest.append(edit, next);
    this.state = next;
  }
}
