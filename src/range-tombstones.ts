/**
 * Ranges of keys that were deleted at one stroke, as fragments: sorted, without overlap, each with the sequences at
 * which all of it was deleted, newest first. So what covers a key is found by one binary search.
 *
 * Encoded for tables and tasks, little-endian:
 *
 *   fragments u32 | fragment …
 *   fragment = startBytes u32 | endBytes u32 | sequences u32 | start | end | (low u32 | high u32) …
 *
 * A fragment goes from `start`, inclusive, to `end`, exclusive; `endBytes` is 0xFFFFFFFF where it has no end.
 *
 * Source of the idea: the fragmented range tombstones of RocksDB and Pebble.
 */
import { compareBytes, compareRanges } from "./bytes/compare.ts";
import { readU32, writeU32 } from "./bytes/little-endian.ts";

const NO_END = 0xffffffff;
const HEADER_BYTES = 4;
const FRAGMENT_HEADER_BYTES = 4 + 4 + 4;
const SEQUENCE_BYTES = 4 + 4;
const TWO_32 = 2 ** 32;

export interface Fragment {
  readonly start: Uint8Array;
  /** Exclusive; `undefined` where there is none. */
  readonly end: Uint8Array | undefined;
  /** Newest first; at least one. */
  readonly sequences: readonly number[];
}

interface OwnFragment {
  start: Uint8Array;
  end: Uint8Array | undefined;
  readonly sequences: number[];
}

export class RangeTombstones {
  readonly #fragments: OwnFragment[] = [];
  /** Sequences of all fragments together: what the set costs. */
  count = 0;

  get fragments(): readonly Fragment[] {
    return this.#fragments;
  }

  get isEmpty(): boolean {
    return this.#fragments.length === 0;
  }

  get memoryBytes(): number {
    let bytes = this.count * 8;
    for (const { start, end } of this.#fragments) bytes += 100 + start.length + (end?.length ?? 0);
    return bytes;
  }

  /** The arrays are kept. An empty range is nothing. */
  add(start: Uint8Array, end: Uint8Array | undefined, sequence: number): void {
    const fragments = this.#fragments;
    let at = start;
    let i = this.#firstEndingAfter(start);
    while (isBefore(at, end)) {
      const fragment = fragments[i];
      if (fragment === undefined || !isBefore(fragment.start, end)) {
        this.#insert(i, { start: at, end, sequences: [sequence] });
        return;
      }
      if (compareBytes(at, fragment.start) < 0) {
        this.#insert(i++, { start: at, end: fragment.start, sequences: [sequence] });
        at = fragment.start;
      } else {
        if (compareBytes(fragment.start, at) < 0) this.#split(i++, at);
        if (end !== undefined && isBefore(end, fragments[i]?.end)) this.#split(i, end);
        const covered = fragments[i++] as OwnFragment;
        this.#delete(covered, sequence);
        if (covered.end === undefined) return;
        at = covered.end;
      }
    }
  }

  addAll(others: RangeTombstones): void {
    for (const { start, end, sequences } of others.fragments) {
      for (const sequence of sequences) this.add(start, end, sequence);
    }
  }

  /** The newest sequence up to `sequence` at which the key was deleted; 0 where it was not. */
  covering(key: Uint8Array, sequence: number, keyStart = 0, keyEnd = key.length): number {
    const fragment = this.fragmentAt(key, keyStart, keyEnd);
    return fragment?.sequences.find((deleted) => deleted <= sequence) ?? 0;
  }

  /** The fragment that the key is in. */
  fragmentAt(key: Uint8Array, keyStart = 0, keyEnd = key.length): Fragment | undefined {
    let low = 0;
    let high = this.#fragments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { end } = this.#fragments[middle] as OwnFragment;
      const endsAfter =
        end === undefined || compareRanges(end, 0, end.length, key, keyStart, keyEnd) > 0;
      if (endsAfter) high = middle;
      else low = middle + 1;
    }
    const fragment = this.#fragments[low];
    if (fragment === undefined) return undefined;
    const { start } = fragment;
    return compareRanges(start, 0, start.length, key, keyStart, keyEnd) <= 0 ? fragment : undefined;
  }

  encode(): Uint8Array {
    let size = HEADER_BYTES;
    for (const { start, end, sequences } of this.#fragments) {
      size += FRAGMENT_HEADER_BYTES + start.length + (end?.length ?? 0);
      size += sequences.length * SEQUENCE_BYTES;
    }
    const bytes = new Uint8Array(size);
    writeU32(bytes, 0, this.#fragments.length);
    let at = HEADER_BYTES;
    for (const { start, end, sequences } of this.#fragments) {
      writeU32(bytes, at, start.length);
      writeU32(bytes, at + 4, end?.length ?? NO_END);
      writeU32(bytes, at + 8, sequences.length);
      at += FRAGMENT_HEADER_BYTES;
      bytes.set(start, at);
      at += start.length;
      if (end !== undefined) bytes.set(end, at);
      at += end?.length ?? 0;
      for (const sequence of sequences) {
        writeU32(bytes, at, sequence % TWO_32);
        writeU32(bytes, at + 4, Math.floor(sequence / TWO_32));
        at += SEQUENCE_BYTES;
      }
    }
    return bytes;
  }

  /** `undefined` for bytes that are no such set. The keys are copies. */
  static decode(bytes: Uint8Array): RangeTombstones | undefined {
    const set = new RangeTombstones();
    if (bytes.length < HEADER_BYTES) return undefined;
    const fragments = readU32(bytes, 0);
    let at = HEADER_BYTES;
    for (let i = 0; i < fragments; i++) {
      if (at + FRAGMENT_HEADER_BYTES > bytes.length) return undefined;
      const startBytes = readU32(bytes, at);
      const endBytes = readU32(bytes, at + 4);
      const sequences = readU32(bytes, at + 8);
      const keysAt = at + FRAGMENT_HEADER_BYTES;
      const endAt = keysAt + startBytes;
      const sequencesAt = endAt + (endBytes === NO_END ? 0 : endBytes);
      at = sequencesAt + sequences * SEQUENCE_BYTES;
      if (at > bytes.length || sequences === 0) return undefined;
      const end = endBytes === NO_END ? undefined : bytes.slice(endAt, sequencesAt);
      set.#insert(set.#fragments.length, {
        start: bytes.slice(keysAt, endAt),
        end,
        sequences: Array.from({ length: sequences }, (_, n) => {
          const place = sequencesAt + n * SEQUENCE_BYTES;
          return readU32(bytes, place) + readU32(bytes, place + 4) * TWO_32;
        }),
      });
    }
    return at === bytes.length ? set : undefined;
  }

  #insert(i: number, fragment: OwnFragment): void {
    this.#fragments.splice(i, 0, fragment);
    this.count += fragment.sequences.length;
  }

  /** Makes two fragments of one, at a key inside it. */
  #split(i: number, key: Uint8Array): void {
    const first = this.#fragments[i] as OwnFragment;
    const second = { start: key, end: first.end, sequences: [...first.sequences] };
    first.end = key;
    this.#insert(i + 1, second);
  }

  #delete({ sequences }: OwnFragment, sequence: number): void {
    const place = sequences.findIndex((other) => other <= sequence);
    if (place !== -1 && sequences[place] === sequence) return;
    sequences.splice(place === -1 ? sequences.length : place, 0, sequence);
    this.count++;
  }

  #firstEndingAfter(key: Uint8Array): number {
    let low = 0;
    let high = this.#fragments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(key, this.#fragments[middle]?.end)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Whether a key is before an end, which may be none. */
function isBefore(key: Uint8Array, end: Uint8Array | undefined): boolean {
  return end === undefined || compareBytes(key, end) < 0;
}
