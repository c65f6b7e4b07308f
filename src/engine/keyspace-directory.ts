/**
 * Which keyspaces there are. Their records are entries of the store's own keyspace, read when it is opened and held in
 * memory from then on:
 *
 *   "k" | name   →   msgpack { id, createdAt, ttlMs?, codec?, retentionMs?, retentionSequences? }
 *   "n"          →   msgpack of the next id, so that none is given twice
 *
 * A keyspace that is being dropped is gone for whoever asks, before its drop is submitted: so no write can come after.
 */
import { pack, unpack } from "msgpackr";
import { VarveError } from "../errors.ts";
import { KIND } from "../key.ts";
import {
  type KeyspaceSettings,
  keyspaceEnd,
  keyspaceOf,
  keyspaceStart,
  NO_KEYSPACE,
  SYSTEM_KEYSPACE,
} from "../store.ts";
import type { KeyspaceCodecList } from "../table/keyspace-codecs.ts";
import type { Reads } from "./reads.ts";
import type { KeyspaceRetention } from "./retention.ts";
import type { StoredOperation } from "./validate.ts";
import type { KeyspaceLookup } from "./validate-keyspace.ts";

export interface KeyspaceRecord extends KeyspaceSettings {
  readonly id: number;
  readonly name: string;
  readonly createdAt: number;
}

const SYSTEM = keyspaceStart(SYSTEM_KEYSPACE);
const NEXT_ID_KEY = systemKey("n");
const NO_VALUE = new Uint8Array();

export class KeyspaceDirectory implements KeyspaceLookup {
  readonly #byName = new Map<string, KeyspaceRecord>();
  /** Those that are being dropped, too. */
  readonly #byId = new Map<number, KeyspaceRecord>();
  readonly #live = new Map<number, KeyspaceRecord>();
  /** Those with a retention of their own, ascending by id; `undefined` where it has to be made anew. */
  #retaining: readonly KeyspaceRetention[] | undefined = [];
  /** Never was an id taken that is not below this. */
  nextId = 1;

  get count(): number {
    return this.#byName.size;
  }

  /** Reads what is stored as of a sequence. */
  async load(reads: Reads, sequence: number): Promise<void> {
    // Where there never was a keyspace nothing is scanned: a scan has the memtable put in order, at the writers' cost.
    if ((await reads.get(NEXT_ID_KEY, sequence)) === undefined) return;
    const bounds = { lower: SYSTEM, upper: keyspaceEnd(SYSTEM_KEYSPACE) };
    for await (const [key, value] of reads.scan({}, bounds, sequence)) {
      const name = Buffer.from(key.subarray(SYSTEM.length)).toString();
      const stored: unknown = unpack(value);
      if (name === "n") this.nextId = Math.max(this.nextId, stored as number);
      else if (name.startsWith("k")) {
        this.set({ ...(stored as KeyspaceRecord), name: name.slice(1) });
      } else {
        const message = `the store has a record ${JSON.stringify(name)} that this version of Varve does not know; use a newer one`;
        throw new VarveError("UNSUPPORTED_FORMAT", message);
      }
    }
  }

  isLive(id: number): boolean {
    return this.#live.has(id);
  }

  isThere(id: number): boolean {
    return this.#byId.has(id);
  }

  ttlMsOf(stored: Uint8Array): number | undefined {
    return this.#live.get(keyspaceOf(stored) ?? NO_KEYSPACE)?.ttlMs;
  }

  get(name: string): KeyspaceRecord | undefined {
    return this.#byName.get(name);
  }

  codecs(): KeyspaceCodecList {
    return [...this.#live.values()].flatMap(({ id, codec }) =>
      codec === undefined ? [] : [[id, codec] as const],
    );
  }

  /** Those with a retention of their own, ascending by id; also of those that are being dropped, which may fail. */
  retaining(): readonly KeyspaceRetention[] {
    this.#retaining ??= [...this.#byId.values()].filter(hasRetention).map(retentionOf).sort(byId);
    return this.#retaining;
  }

  /** By name. */
  list(): KeyspaceRecord[] {
    const records = [...this.#byName.values()];
    return records.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }

  set(record: KeyspaceRecord): void {
    const before = this.#byId.get(record.id);
    if (hasRetention(record) || hasRetention(before)) this.#retaining = undefined;
    this.#byName.set(record.name, record);
    this.#byId.set(record.id, record);
    this.#live.set(record.id, record);
    this.nextId = Math.max(this.nextId, record.id + 1);
  }

  /** From now on nobody reaches it, whether `forget` or `set` follows. */
  hide({ id }: KeyspaceRecord): void {
    this.#live.delete(id);
  }

  forget({ id, name }: KeyspaceRecord): void {
    if (hasRetention(this.#byId.get(id))) this.#retaining = undefined;
    this.#live.delete(id);
    this.#byId.delete(id);
    this.#byName.delete(name);
  }
}

/** Of a keyspace that has one of the two settings, the other one is 0. */
function retentionOf({ id, retentionMs = 0, retentionSequences = 0 }: KeyspaceRecord) {
  return { id, retentionMs, retentionSequences };
}

function hasRetention(record: KeyspaceRecord | undefined): boolean {
  return record?.retentionMs !== undefined || record?.retentionSequences !== undefined;
}

function byId(a: KeyspaceRetention, b: KeyspaceRetention): number {
  return a.id - b.id;
}

/** What writes a record, and that its id was taken. */
export function recordPuts(record: KeyspaceRecord, nextId: number): StoredOperation[] {
  const { name, ...stored } = record;
  return [
    { kind: KIND.PUT, key: systemKey(`k${name}`), value: pack(stored) },
    { kind: KIND.PUT, key: NEXT_ID_KEY, value: pack(nextId) },
  ];
}

/** What deletes a keyspace's record, and all that is in it. */
export function recordDeletes({ id, name }: KeyspaceRecord): StoredOperation[] {
  return [
    { kind: KIND.DELETE, key: systemKey(`k${name}`), value: NO_VALUE },
    { kind: KIND.RANGE_DELETE, key: keyspaceStart(id), value: keyspaceEnd(id) ?? NO_VALUE },
  ];
}

function systemKey(name: string): Uint8Array {
  return Buffer.concat([SYSTEM, Buffer.from(name)]);
}
