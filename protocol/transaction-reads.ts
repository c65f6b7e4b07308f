/**
 * What a transaction has read, as the conditions under which it may commit: that of all of it nothing was written
 * since its snapshot. A scan counts as far as it was read, so that a key which comes up in between is noticed.
 */
import { VarveError } from "./errors.ts";
import { keyText } from "./keys.ts";
import type { KeyRange, WriteCondition } from "./store.ts";

const READS_MAX = 100_000;
const BYTES_MAX = 16 * 1024 * 1024;

export class TransactionReads {
  /** By `keyText`. */
  readonly #keys = new Map<string, { readonly key: Uint8Array; readonly isPresent: boolean }>();
  readonly #ranges: RangeRead[] = [];
  #bytes = 0;

  key(key: Uint8Array, isPresent: boolean): void {
    const text = keyText(key);
    if (this.#keys.has(text)) return;
    this.#count(key.length);
    this.#keys.set(text, { key, isPresent });
  }

  /** The bounds' bytes must stay as they are. */
  range(bounds: KeyRange, reverse: boolean): RangeRead {
    this.#count(256);
    const read = new RangeRead(bounds, reverse);
    this.#ranges.push(read);
    return read;
  }

  conditions(unchangedSince: number): WriteCondition[] {
    const conditions: WriteCondition[] = [];
    for (const { key, isPresent } of this.#keys.values()) {
      conditions.push({ key, unchangedSince, ...(isPresent ? { present: true } : {}) });
    }
    for (const read of this.#ranges) {
      const { range } = read;
      if (range !== undefined) conditions.push({ range, unchangedSince });
    }
    return conditions;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    const reads = this.#keys.size + this.#ranges.length;
    if (reads < READS_MAX && this.#bytes <= BYTES_MAX) return;
    const message = `a transaction reads at most ${READS_MAX} keys and ranges, of ${BYTES_MAX} bytes together; a scan counts once`;
    throw new VarveError("BATCH_TOO_LARGE", message);
  }
}

export class RangeRead {
  readonly #bounds: KeyRange;
  readonly #reverse: boolean;
  #last: Uint8Array | undefined;
  #isWhole = false;

  constructor(bounds: KeyRange, reverse: boolean) {
    this.#bounds = bounds;
    this.#reverse = reverse;
  }

  /** The reader was told of this key, and so of all before it. */
  reached(key: Uint8Array): void {
    this.#last = new Uint8Array(key);
  }

  /** The reader was told that there are no more. */
  ended(): void {
    this.#isWhole = true;
  }

  /** `undefined` where the reader was told of nothing. */
  get range(): KeyRange | undefined {
    if (this.#isWhole) return this.#bounds;
    if (this.#last === undefined) return undefined;
    return { ...this.#bounds, [this.#reverse ? "gte" : "lte"]: this.#last };
  }
}
