/**
 * The manifest: the log of version edits from which a database knows its tables. Records are framed as the
 * log's are (`src/log/record.ts`) and bound to the manifest's number, so bytes of another file are never
 * taken for its own.
 *
 *   kind 1, first: msgpack { version }, the format's
 *   kind 2:        a version edit (`edit.ts`); those before kind 3 make the version that was current when
 *                  the manifest was begun
 *   kind 3, once:  empty; ends that snapshot, so a manifest without it is not whole
 *   kind 4, last:  empty; written at close, so that damage to the last edit is not taken for a torn tail
 *
 * Each append is synced before the next begins, so a record's `syncedTo` is its own start, and only the last
 * record can be torn. `CURRENT` holds the manifest's name and a newline; it is replaced by rename after the
 * manifest's snapshot is synced, so it never names a manifest that is not whole.
 */
import { join } from "node:path";
import { pack } from "msgpackr";
import { VarveError } from "../errors.ts";
import type { File, FileSystem } from "../fs/file-system.ts";
import { CURRENT_NAME, manifestName } from "../fs/names.ts";
import { encodeRecordHeader, RECORD_HEADER_BYTES } from "../log/record.ts";
import { encodeEdit, type VersionEdit } from "./edit.ts";
import type { Version } from "./version.ts";

/**
 * In 1, keys were stored as they were given; since 2 those that begin with a zero byte name their keyspace; since 3 the
 * past of a keyspace may go back less far than that of the others.
 */
export const MANIFEST_FORMAT = 3;

export const MANIFEST_RECORD = { HEADER: 1, EDIT: 2, SNAPSHOT_END: 3, CLOSE: 4 } as const;

/** Tables in one record of a snapshot, so that no record grows with the database. */
const TABLES_PER_RECORD = 1000;

/** What the manifest makes durable. */
export interface ManifestState {
  readonly version: Version;
  /** The first log segment that is still needed. */
  readonly logFloor: number;
  /** All sequences up to this are in tables, or nowhere, but for those of ingests. */
  readonly lastSequence: number;
  /** The newest sequence that an ingest has taken. */
  readonly ingestedTo?: number;
}

export interface ManifestOptions {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly allocateNumber: () => number;
  /** The manifest is written anew when it has grown to this. */
  readonly bytesMax: number;
}

export class Manifest {
  readonly #options: ManifestOptions;
  #number: number;
  #file: File;
  #bytes: number;
  #failure: VarveError | undefined;

  private constructor(options: ManifestOptions, number: number, file: File, bytes: number) {
    this.#options = options;
    this.#number = number;
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Begins a manifest with `state` and makes `CURRENT` name it, all durable when it resolves. */
  static async create(options: ManifestOptions, state: ManifestState): Promise<Manifest> {
    const { number, file, bytes } = await writeSnapshot(options, state);
    return new Manifest(options, number, file, bytes);
  }

  get number(): number {
    return this.#number;
  }

  /** An append has failed, so no other can succeed. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Makes `edit` durable, after which the state is `next`. Calls must not overlap. A failed append is final:
   * whether the edit is on the disk is not known, so all later ones fail too.
   */
  async append(edit: VersionEdit, next: ManifestState): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      if (this.#bytes >= this.#options.bytesMax) await this.#rollOver(next);
      else await this.#append(MANIFEST_RECORD.EDIT, encodeEdit(edit));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `the manifest could not be written: ${reason}; open the database again`;
      this.#failure = new VarveError(codeOf(cause), message, { cause });
      throw this.#failure;
    }
  }

  async close(): Promise<void> {
    try {
      if (this.#failure === undefined) await this.#append(MANIFEST_RECORD.CLOSE, new Uint8Array());
    } finally {
      await this.#file.close();
    }
  }

  async #append(kind: number, payload: Uint8Array): Promise<void> {
    const record = encodeRecord(kind, payload, this.#bytes, this.#number);
    await this.#file.write(record, this.#bytes);
    await this.#file.sync();
    this.#bytes += record.length;
  }

  /** The edit is part of the new manifest's snapshot. */
  async #rollOver(state: ManifestState): Promise<void> {
    const old = { file: this.#file, number: this.#number };
    const { number, file, bytes } = await writeSnapshot(this.#options, state);
    this.#number = number;
    this.#file = file;
    this.#bytes = bytes;
    await old.file.close();
    await this.#options.fs.remove(join(this.#options.directory, manifestName(old.number)));
  }
}

function codeOf(cause: unknown): VarveError["code"] {
  return cause instanceof VarveError ? cause.code : "IO_ERROR";
}

function encodeRecord(kind: number, payload: Uint8Array, at: number, number: number): Uint8Array {
  const record = new Uint8Array(RECORD_HEADER_BYTES + payload.length);
  record.set(payload, RECORD_HEADER_BYTES);
  encodeRecordHeader(record, 0, payload.length, kind, at, number);
  return record;
}

interface Snapshot {
  readonly number: number;
  readonly file: File;
  readonly bytes: number;
}

async function writeSnapshot(options: ManifestOptions, state: ManifestState): Promise<Snapshot> {
  const { fs, directory } = options;
  const number = options.allocateNumber();
  const file = await fs.open(join(directory, manifestName(number)), "create");
  try {
    let bytes = 0;
    const append = async (kind: number, payload: Uint8Array) => {
      // Nothing of a snapshot is durable before all of it is.
      const record = encodeRecord(kind, payload, 0, number);
      await file.write(record, bytes);
      bytes += record.length;
    };
    await append(MANIFEST_RECORD.HEADER, pack({ version: MANIFEST_FORMAT }));
    const { added, ...past } = state.version.asEdit();
    for (let i = 0; i < added.length; i += TABLES_PER_RECORD) {
      const some = { added: added.slice(i, i + TABLES_PER_RECORD), removed: [] };
      await append(MANIFEST_RECORD.EDIT, encodeEdit(some));
    }
    const { logFloor, lastSequence } = state;
    const numbers = { logFloor, lastSequence, nextNumber: number + 1 };
    const rest = {
      ...past,
      added: [],
      ...numbers,
      ...(state.ingestedTo === undefined ? {} : { ingestedTo: state.ingestedTo }),
    };
    await append(MANIFEST_RECORD.EDIT, encodeEdit(rest));
    await append(MANIFEST_RECORD.SNAPSHOT_END, new Uint8Array());
    await file.sync();
    await fs.syncDirectory(directory);
    await replaceCurrent(fs, directory, manifestName(number));
    return { number, file, bytes };
  } catch (error) {
    await file.close();
    throw error;
  }
}

export const CURRENT_TEMPORARY_NAME = `${CURRENT_NAME}.tmp`;

async function replaceCurrent(fs: FileSystem, directory: string, name: string): Promise<void> {
  const temporary = join(directory, CURRENT_TEMPORARY_NAME);
  if (await fs.exists(temporary)) await fs.remove(temporary);
  const file = await fs.open(temporary, "create");
  try {
    await file.write(new TextEncoder().encode(`${name}\n`), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await fs.rename(temporary, join(directory, CURRENT_NAME));
  await fs.syncDirectory(directory);
}
