/**
 * The entries of one restart interval of a data block, decoded side by side with their whole keys, for a
 * cursor that steps back through them. Used again and again; grows to the largest interval seen.
 */
import { EntryDecoder } from "./entry-decoder.ts";

const ENTRIES_INITIAL = 17;

export class IntervalEntries {
  length = 0;
  /** Key i is `keys[keyStart[i], keyStart[i + 1])`. */
  keys: Uint8Array = new Uint8Array(1024);
  keyStart = new Int32Array(ENTRIES_INITIAL + 1);
  entryAt = new Int32Array(ENTRIES_INITIAL);
  trailerLow = new Int32Array(ENTRIES_INITIAL);
  trailerHigh = new Int32Array(ENTRIES_INITIAL);
  valueStart = new Int32Array(ENTRIES_INITIAL);
  valueEnd = new Int32Array(ENTRIES_INITIAL);
  readonly #entry = new EntryDecoder();

  /** Decodes the entries of `block[restart, end)`, the first of which has its whole key. */
  decode(block: Uint8Array, restart: number, end: number): void {
    const entry = this.#entry;
    let count = 0;
    let previousAt = 0;
    let keyAt = 0;
    for (let at = restart; at < end; at = entry.end) {
      entry.decode(block, at);
      const keyBytes = entry.shared + entry.unshared;
      if (count === this.entryAt.length) this.#growEntries();
      if (keyAt + keyBytes > this.keys.length) this.#growKeys(keyAt, keyAt + keyBytes);
      const { keys } = this;
      for (let i = 0; i < entry.shared; i++) keys[keyAt + i] = keys[previousAt + i]!;
      const shift = entry.keyAt - entry.shared;
      for (let i = entry.shared; i < keyBytes; i++) keys[keyAt + i] = block[i + shift]!;
      this.keyStart[count] = keyAt;
      this.entryAt[count] = at;
      this.trailerLow[count] = entry.trailerLow;
      this.trailerHigh[count] = entry.trailerHigh;
      this.valueStart[count] = entry.valueAt;
      this.valueEnd[count] = entry.end;
      previousAt = keyAt;
      keyAt += keyBytes;
      count++;
      this.keyStart[count] = keyAt;
    }
    this.length = count;
  }

  #growKeys(used: number, needed: number): void {
    const grown = new Uint8Array(needed * 2);
    grown.set(this.keys.subarray(0, used));
    this.keys = grown;
  }

  #growEntries(): void {
    const size = this.entryAt.length * 2;
    const grow = (array: Int32Array<ArrayBuffer>, length: number) => {
      const grown = new Int32Array(length);
      grown.set(array);
      return grown;
    };
    this.keyStart = grow(this.keyStart, size + 1);
    this.entryAt = grow(this.entryAt, size);
    this.trailerLow = grow(this.trailerLow, size);
    this.trailerHigh = grow(this.trailerHigh, size);
    this.valueStart = grow(this.valueStart, size);
    this.valueEnd = grow(this.valueEnd, size);
  }
}
