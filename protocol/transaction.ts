/**
 * Transactions over any store: optimistic, and serializable. Reads are made at one snapshot, and see the transaction's
 * own writes; these are kept until the end, and then committed as one batch under the condition that of all that was
 * read nothing was written since. Whoever finds that something was starts again from the beginning.
 *
 * Source of the idea: Kung and Robinson, "On Optimistic Methods for Concurrency Control" (1981), and the recorded read
 * ranges of FoundationDB.
 */
import { setImmediate, setTimeout } from "node:timers/promises";
import { COUNTER_BYTES, decodeCounter, encodeCounter } from "./counter.ts";
import { VarveError } from "./errors.ts";
import { ownKey } from "./keys.ts";
import { hasBounds, type KeyMapping, mappingOf } from "./keyspace-keys.ts";
import type {
  Data,
  EntryRecord,
  Expiry,
  KeyRange,
  Keyspace,
  MergeOperator,
  Operand,
  Scan,
  ScanOptions,
  Snapshot,
  Store,
  Transaction,
  TransactionOptions,
} from "./store.ts";
import { TransactionReads } from "./transaction-reads.ts";
import { TransactionScan } from "./transaction-scan.ts";
import { ownRange, TransactionWrites, valueAfter } from "./transaction-writes.ts";

const RETRIES = 10;
const BACKOFF_MS = 1;
const BACKOFF_MS_MAX = 250;

/** The store that transactions are run over, by its stored keys: all keyspaces of it. */
type TransactionStore = Pick<Store, "snapshot" | "batch">;

/** What `KeyedStore.transaction` does. `keys` are the caller's; `owner` stands for the store: see `registerKeyspace`. */
export async function runTransaction<Result>(
  { store, keys, owner }: { store: TransactionStore; keys: KeyMapping; owner: object },
  body: (transaction: Transaction) => Promise<Result> | Result,
  options: TransactionOptions = {},
): Promise<Result> {
  const { retries = RETRIES, backoffMs = jitteredMs, durability } = options;
  checkOptions(body, retries, backoffMs);
  for (let attempt = 1; ; attempt++) {
    const attempted = new Attempt(store, owner);
    try {
      const result = await body(new BufferedTransaction(attempted, keys));
      await attempted.commit(durability === undefined ? {} : { durability });
      return result;
    } catch (error) {
      if (!attempted.isConflict(error) || attempt > retries) throw error;
    } finally {
      await attempted.end();
    }
    const delayMs = backoffMs(attempt);
    if (delayMs > 0) await setTimeout(delayMs);
    else await setImmediate();
  }
}

function checkOptions(body: unknown, retries: unknown, backoffMs: unknown): void {
  const isWhole = Number.isSafeInteger(retries) && (retries as number) >= 0;
  if (typeof body === "function" && isWhole && typeof backoffMs === "function") return;
  const message =
    "transaction takes a function, and as options retries, a whole number, and backoffMs, a function";
  throw new VarveError("INVALID_ARGUMENT", message);
}

/** Anything up to a limit that doubles, so that those who met once do not meet again. */
function jitteredMs(attempt: number): number {
  return Math.random() * Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** attempt);
}

/** What one attempt has read and written, in all keyspaces, by stored keys. */
class Attempt {
  readonly reads = new TransactionReads();
  readonly writes = new TransactionWrites();
  readonly scans = new Set<TransactionScan>();
  readonly owner: object;
  readonly #store: TransactionStore;
  /** Opened by the first read. */
  #snapshot: Promise<Snapshot> | undefined;
  #isOver = false;
  /** What the commit found. */
  #conflict: unknown;

  constructor(store: TransactionStore, owner: object) {
    this.#store = store;
    this.owner = owner;
  }

  /** The writes, if what was read is as it was. */
  async commit(options: {
    durability?: NonNullable<TransactionOptions["durability"]>;
  }): Promise<void> {
    this.assertOpen();
    this.#isOver = true;
    const { operations } = this.writes;
    if (operations.length === 0) return;
    const snapshot = await this.#snapshot;
    const conditions = snapshot === undefined ? [] : this.reads.conditions(snapshot.sequence);
    try {
      await this.#store.batch(operations, { ...options, if: conditions });
    } catch (error) {
      this.#conflict = error;
      throw error;
    }
  }

  /** Whether the error is what the commit failed with, because somebody was faster. */
  isConflict(error: unknown): boolean {
    return error === this.#conflict && error instanceof VarveError && error.code === "CONFLICT";
  }

  /** Gives back what the transaction holds. */
  async end(): Promise<void> {
    this.#isOver = true;
    const snapshot = await this.#snapshot?.catch(() => undefined);
    for (const scan of this.scans) await scan.return().catch(() => undefined);
    // The outcome is known, so nobody waits for this; where it fails, the snapshot ends with its lease.
    snapshot?.close().catch(() => undefined);
  }

  open(): Promise<Snapshot> {
    this.#snapshot ??= this.#store.snapshot();
    return this.#snapshot;
  }

  assertOpen(): void {
    if (this.#isOver) throw new VarveError("CLOSED", "the transaction is over");
  }
}

class BufferedTransaction implements Transaction {
  readonly #attempt: Attempt;
  readonly #keys: KeyMapping;

  constructor(attempt: Attempt, keys: KeyMapping) {
    this.#attempt = attempt;
    this.#keys = keys;
  }

  keyspace(keyspace: Keyspace): Transaction {
    this.#attempt.assertOpen();
    return new BufferedTransaction(this.#attempt, mappingOf(keyspace, this.#attempt.owner));
  }

  async get(key: Data): Promise<Uint8Array | undefined> {
    this.#attempt.assertOpen();
    const own = this.#ownKey(key);
    const pending = this.#attempt.writes.entryOf(own);
    if (pending?.hidesStored) return valueAfter(pending, undefined);
    const stored = await (await this.#attempt.open()).get(own);
    this.#attempt.reads.key(own, stored !== undefined);
    return pending === undefined ? stored : valueAfter(pending, stored);
  }

  async getMany(keys: readonly Data[]): Promise<(Uint8Array | undefined)[]> {
    this.#attempt.assertOpen();
    if (!Array.isArray(keys)) {
      throw new VarveError("INVALID_ARGUMENT", "getMany takes an array of keys");
    }
    const own = keys.map((key: Data) => this.#ownKey(key));
    const pending = own.map((key) => this.#attempt.writes.entryOf(key));
    const asked = own.filter((_, i) => pending[i]?.hidesStored !== true);
    const found = asked.length === 0 ? [] : await (await this.#attempt.open()).getMany(asked);
    for (const [i, key] of asked.entries()) this.#attempt.reads.key(key, found[i] !== undefined);
    let next = 0;
    return pending.map((entry) => {
      if (entry?.hidesStored) return valueAfter(entry, undefined);
      const stored = found[next++];
      return entry === undefined ? stored : valueAfter(entry, stored);
    });
  }

  async getEntry(key: Data): Promise<EntryRecord | undefined> {
    this.#attempt.assertOpen();
    const own = this.#ownKey(key);
    const pending = this.#attempt.writes.entryOf(own);
    const isOwn = pending?.hidesStored === true && !pending.goesOn;
    const stored = isOwn ? undefined : await (await this.#attempt.open()).getEntry(own);
    if (!isOwn) this.#attempt.reads.key(own, stored !== undefined);
    if (pending === undefined) return stored;
    const value = valueAfter(pending, stored?.value);
    if (value === undefined) return undefined;
    const before = pending.goesOn ? stored : undefined;
    const now = Date.now();
    return {
      value,
      sequence: 0,
      revision: (before?.revision ?? 0) + pending.revisions,
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
      expiresAt: pending.hidesStored ? pending.expiresAt : stored?.expiresAt,
    };
  }

  scan(options: ScanOptions = {}): Scan {
    this.#attempt.assertOpen();
    const { limit, limitBytes, reverse, keysOnly } = checkScan(options);
    const bounds = ownRange(this.#keys.toStoredRange(options));
    const read = this.#attempt.reads.range(bounds, reverse === true);
    const own = {
      ...bounds,
      ...(reverse ? { reverse } : {}),
      ...(keysOnly ? { keysOnly } : {}),
      ...(limit === undefined ? {} : { limit }),
      ...(limitBytes === undefined ? {} : { limitBytes }),
    };
    const scan = new TransactionScan(own, this.#keys, this.#attempt.writes, read, () =>
      this.#attempt.open(),
    );
    this.#attempt.scans.add(scan);
    return scan;
  }

  put(key: Data, value: Data, expiry: Expiry = {}): void {
    this.#attempt.assertOpen();
    const { ttlMs, expiresAt } = expiry;
    this.#attempt.writes.put(this.#ownKey(key), value, {
      ...(ttlMs === undefined ? {} : { ttlMs }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    });
  }

  delete(key: Data): void {
    this.#attempt.assertOpen();
    this.#attempt.writes.delete(this.#ownKey(key));
  }

  deleteRange(range: KeyRange): void {
    this.#attempt.assertOpen();
    this.#attempt.writes.deleteRange(hasBounds(range) ? this.#keys.toStoredRange(range) : range);
  }

  merge(key: Data, operator: MergeOperator, operand: Operand): void {
    this.#attempt.assertOpen();
    this.#attempt.writes.merge(this.#ownKey(key), operator, operand);
  }

  async increment(key: Data, delta: number | bigint = 1): Promise<bigint> {
    this.#attempt.assertOpen();
    const own = this.#ownKey(key);
    const added = decodeCounter(encodeCounter(delta));
    const before = this.#attempt.writes.entryOf(own);
    const stored = before?.hidesStored ? undefined : await (await this.#attempt.open()).get(own);
    this.#attempt.assertOpen();
    if (!before?.hidesStored) this.#attempt.reads.key(own, stored !== undefined);
    // Asked again: another call may have written while this one read.
    const pending = this.#attempt.writes.entryOf(own);
    const value = pending === undefined ? stored : valueAfter(pending, stored);
    if (value !== undefined && value.length !== COUNTER_BYTES) {
      const message = `the value has ${value.length} bytes; a counter has ${COUNTER_BYTES}`;
      throw new VarveError("NOT_A_COUNTER", message);
    }
    const sum = (value === undefined ? 0n : decodeCounter(value)) + added;
    if (sum !== BigInt.asIntN(64, sum)) {
      throw new VarveError("COUNTER_OVERFLOW", `64 bits do not hold ${sum}`);
    }
    // Nothing comes in between, so that this is the sum; and unlike a put it leaves the entry its expiry.
    this.#attempt.writes.merge(own, "add", added);
    return sum;
  }

  /** The stored key, as a copy; throws `KEY_EMPTY` for none. */
  #ownKey(key: Data): Uint8Array {
    const own = ownKey(key);
    return this.#keys.toStored(own) as Uint8Array;
  }
}

function checkScan(options: ScanOptions): ScanOptions {
  const { limit, limitBytes, at } = options;
  if (options.seekable !== undefined) {
    throw new VarveError("INVALID_ARGUMENT", "a transaction's scan cannot be sought in");
  }
  if (at !== undefined) {
    throw new VarveError("INVALID_ARGUMENT", "a transaction reads at one moment, its own");
  }
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) {
    throw new VarveError("INVALID_ARGUMENT", `limit is ${limit}; it must be a whole number from 0`);
  }
  if (limitBytes !== undefined && (!Number.isSafeInteger(limitBytes) || limitBytes < 1)) {
    const message = `limitBytes is ${limitBytes}; it must be a whole number from 1`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  for (const name of ["reverse", "keysOnly"] as const) {
    const flag: unknown = options[name];
    if (flag === undefined || typeof flag === "boolean") continue;
    throw new VarveError("INVALID_ARGUMENT", `${name} is a boolean, not ${typeof flag}`);
  }
  return options;
}
