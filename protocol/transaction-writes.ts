/**
 * What a transaction has written so far: the operations, in order, that its commit is made of, and of each key what
 * a read of the transaction sees in the place of what the store has.
 */
import { encodeCounter } from "./counter.ts";
import { VarveError } from "./errors.ts";
import { foldOperand } from "./fold-operand.ts";
import { bytesOf, isInRange, keyText } from "./keys.ts";
import type { Data, Expiry, KeyRange, MergeOperator, Operand, Operation } from "./store.ts";

/** What a transaction may keep; more than the store takes in one batch is of no use. */
const OPERATIONS_MAX = 1_000_000;
const BYTES_MAX = 64 * 1024 * 1024;

interface PendingOperand {
  readonly operator: MergeOperator;
  readonly operand: Uint8Array;
}

/** What a key comes to by the transaction's writes. */
export interface PendingEntry {
  readonly key: Uint8Array;
  /** Nothing of what the store has of the key counts any more. */
  readonly hidesStored: boolean;
  /** Where that is hidden: what there is, `undefined` where the key is absent. */
  readonly value: Uint8Array | undefined;
  readonly expiresAt: number | undefined;
  /** Where it is not: what is folded into what the store has. */
  readonly operands: readonly PendingOperand[];
  /** The revision counts on from the stored one; else the key came into being in the transaction. */
  readonly goesOn: boolean;
  /** Writes of the key since it came into being, as far as the transaction knows. */
  readonly revisions: number;
}

export class TransactionWrites {
  readonly operations: Operation[] = [];
  readonly #entries = new Map<string, PendingEntry>();
  readonly #ranges: KeyRange[] = [];
  #bytes = 0;

  /** `undefined` where the transaction has not written the key. */
  entryOf(key: Uint8Array): PendingEntry | undefined {
    const entry = this.#entries.get(keyText(key));
    if (entry === undefined) {
      return this.#ranges.some((range) => isInRange(key, range)) ? absent(key) : undefined;
    }
    return entry.expiresAt !== undefined && entry.expiresAt <= Date.now() ? absent(key) : entry;
  }

  /** What lies in the ranges that were deleted so far; those that are deleted later do not count. */
  deletedRangesNow(): (key: Uint8Array) => boolean {
    const ranges = [...this.#ranges];
    return (key) => ranges.some((range) => isInRange(key, range));
  }

  get hasDeletedRanges(): boolean {
    return this.#ranges.length > 0;
  }

  /** The keys in the range that were written one by one. */
  entriesIn(range: KeyRange): PendingEntry[] {
    const entries: PendingEntry[] = [];
    for (const { key } of this.#entries.values()) {
      const entry = isInRange(key, range) ? this.entryOf(key) : undefined;
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  put(key: Uint8Array, value: Data, expiry: Expiry): void {
    const bytes = new Uint8Array(bytesOf(value));
    const before = this.entryOf(key);
    const { ttlMs, expiresAt } = expiry;
    this.#add({ type: "put", key, value: bytes, ...expiry }, key.length + bytes.length);
    const goesOn = before?.goesOn ?? true;
    const revisions = (before?.revisions ?? 0) + 1;
    this.#entries.set(keyText(key), {
      key,
      hidesStored: true,
      value: bytes,
      expiresAt: ttlMs === undefined ? expiresAt : Date.now() + ttlMs,
      operands: [],
      goesOn,
      revisions,
    });
  }

  delete(key: Uint8Array): void {
    this.#add({ type: "delete", key }, key.length);
    this.#entries.set(keyText(key), absent(key));
  }

  deleteRange(given: KeyRange): void {
    const range = ownRange(given);
    const bounds = Object.values(range);
    if (bounds.length === 0) {
      const message = "deleteRange takes bounds; an empty gte stands for all keys";
      throw new VarveError("INVALID_ARGUMENT", message);
    }
    const bytes = bounds.reduce((sum, bound) => sum + bound.length, 0);
    this.#add({ type: "deleteRange", ...range }, bytes);
    for (const [text, { key }] of this.#entries) {
      if (isInRange(key, range)) this.#entries.set(text, absent(key));
    }
    this.#ranges.push(range);
  }

  merge(key: Uint8Array, operator: MergeOperator, given: Operand): void {
    const isNumber = typeof given === "number" || typeof given === "bigint";
    const operand = isNumber ? encodeCounter(given) : new Uint8Array(bytesOf(given));
    this.#add({ type: "merge", key, operator, operand }, key.length + operand.length);
    const before = this.entryOf(key);
    const isKnown = before?.hidesStored ?? false;
    this.#entries.set(keyText(key), {
      key,
      hidesStored: isKnown,
      value: isKnown ? foldOperand(operator, before?.value, operand) : undefined,
      expiresAt: before?.expiresAt,
      operands: isKnown ? [] : [...(before?.operands ?? []), { operator, operand }],
      goesOn: before?.goesOn ?? true,
      revisions: (before?.revisions ?? 0) + 1,
    });
  }

  #add(operation: Operation, bytes: number): void {
    if (this.operations.length >= OPERATIONS_MAX || this.#bytes + bytes > BYTES_MAX) {
      const message = `a transaction writes at most ${OPERATIONS_MAX} operations of ${BYTES_MAX} bytes together`;
      throw new VarveError("BATCH_TOO_LARGE", message);
    }
    this.operations.push(operation);
    this.#bytes += bytes;
  }
}

/** The value that a read sees, where the store has `stored`. A copy, or the caller's own. */
export function valueAfter(
  { hidesStored, value, operands }: PendingEntry,
  stored: Uint8Array | undefined,
): Uint8Array | undefined {
  if (hidesStored) return value && new Uint8Array(value);
  return operands.reduce<Uint8Array | undefined>(
    (folded, { operator, operand }) => foldOperand(operator, folded, operand),
    stored,
  );
}

function absent(key: Uint8Array): PendingEntry {
  return {
    key,
    hidesStored: true,
    value: undefined,
    expiresAt: undefined,
    operands: [],
    goesOn: false,
    revisions: 0,
  };
}

/** Bounds as bytes. */
export type OwnRange = { -readonly [Bound in keyof KeyRange]: Uint8Array };

/** The bounds that are given, as bytes of their own. */
export function ownRange(range: KeyRange): OwnRange {
  const own: OwnRange = {};
  for (const name of ["gte", "gt", "lt", "lte", "prefix"] as const) {
    const bound = range[name];
    if (bound !== undefined) own[name] = new Uint8Array(bytesOf(bound));
  }
  return own;
}
