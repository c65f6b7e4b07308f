/**
 * What a reader sees: of each user key within bounds the newest version that its snapshot includes, unless
 * that is a tombstone; in one direction, which is fixed.
 *
 * Forwards, the first version of a key that is not too new decides, and the rest of the key's versions are
 * passed over. Backwards, versions come oldest first, so the last one that is not too new is held until
 * the cursor has come to another key. A key with many versions is not walked through: after a few, a seek
 * passes the rest.
 *
 * Hot path: no allocation per entry; each key is copied once, as a table's cursor builds its keys in one
 * buffer. `npm run bench -- engine` shows it in its scan rows.
 */
import assert from "node:assert";
import { compareBytes, compareRanges } from "../bytes/compare.ts";
import { CURSOR, type CursorState, type EntryCursor } from "../entry-cursor.ts";
import { expiresAtOf, headerBytes } from "../entry-header.ts";
import { VarveError } from "../errors.ts";
import type { KeptShapes } from "../kept-shapes.ts";
import {
  baseKindOf,
  isKnownKind,
  KIND,
  KIND_SEEK,
  kindOf,
  SEQUENCE_MAX,
  trailerHigh,
  trailerLow,
} from "../key.ts";
import { type KeyBounds, keyAfter } from "./bounds.ts";

const EMPTY = new Uint8Array();
const KEY_BYTES_INITIAL = 128;
/** Versions of one key to step over before seeking past the others, which costs about as much. */
const STEPS_MAX = 16;

const NEWEST_LOW = trailerLow(SEQUENCE_MAX, KIND_SEEK);
const NEWEST_HIGH = trailerHigh(SEQUENCE_MAX);

export class VisibleCursor {
  state: CursorState = CURSOR.END;
  /** The user key is `key[keyStart, keyEnd)`, while VALID and until the next move. */
  key: Uint8Array = EMPTY;
  keyStart = 0;
  keyEnd = 0;
  /** The value is `value[valueStart, valueEnd)`; its bytes stay as they are while the reader's pin holds. */
  value: Uint8Array = EMPTY;
  valueStart = 0;
  valueEnd = 0;
  /** The value is an operand, which has yet to be folded into the key's older versions. */
  isMerge = false;
  /** Entries that were read and not shown: tombstones, older versions, newer ones than the snapshot. */
  skipped = 0;
  /** The number of skipped entries at which the cursor is PAUSED. Raise it before `goOn`. */
  pauseAt = Number.POSITIVE_INFINITY;

  readonly #cursor: EntryCursor;
  readonly #snapshotLow: number;
  readonly #snapshotHigh: number;
  readonly #lower: Uint8Array | undefined;
  readonly #upper: Uint8Array | undefined;
  readonly #reverse: boolean;
  /** The wall clock. */
  readonly #now: () => number;
  /** The user key whose versions are being read is `#current[0, #currentBytes)`; none while that is 0. */
  #current: Uint8Array = new Uint8Array(KEY_BYTES_INITIAL);
  #currentBytes = 0;
  /** Versions of it that were stepped over. */
  #steps = 0;
  /** Forwards: the newest visible version of it was read. */
  #isDecided = false;
  /** Kind of the newest visible version that was read; its value is in the public fields. */
  #heldKind: number = KIND.DELETE;
  /** Backwards: the cursor was sent to the key's newest visible version. */
  #isJumping = false;

  /** Takes over `cursor`. Sees sequences up to and including `snapshot`; `now` is the wall clock. */
  constructor(
    cursor: EntryCursor,
    snapshot: number,
    bounds: KeyBounds,
    reverse: boolean,
    now: () => number,
  ) {
    this.#now = now;
    this.#cursor = cursor;
    this.#snapshotLow = trailerLow(snapshot, KIND_SEEK);
    this.#snapshotHigh = trailerHigh(snapshot);
    this.#lower = bounds.lower;
    this.#upper = bounds.upper;
    this.#reverse = reverse;
  }

  /** To the first entry of the scan. */
  start(): void {
    const cursor = this.#cursor;
    this.#currentBytes = 0;
    if (this.#reverse) {
      if (this.#upper === undefined) cursor.last();
      else cursor.seekBefore(this.#upper, NEWEST_LOW, NEWEST_HIGH);
    } else {
      if (this.#lower === undefined) cursor.first();
      else cursor.seek(this.#lower, this.#snapshotLow, this.#snapshotHigh);
    }
    this.#settle();
  }

  /** From a valid entry to the next one in the scan's direction. */
  next(): void {
    assert(this.state === CURSOR.VALID);
    // Backwards, the cursor has left the entry already, for the one where the next begins.
    if (this.#reverse) this.#currentBytes = 0;
    else this.#cursor.next();
    this.#settle();
  }

  /** Ends it for good, as an `EntryCursor`. */
  retire(shapes: KeptShapes): void {
    this.state = CURSOR.END;
    this.key = EMPTY;
    this.value = EMPTY;
    this.#cursor.retire(shapes);
    shapes.keep(this);
  }

  /** From PAUSED on. */
  goOn(): void {
    assert(this.state === CURSOR.PAUSED);
    this.#settle();
  }

  /**
   * To the first entry at or after the key; backwards to the last at or before it. Never beyond the bounds. The key
   * must stay as it is until the move has ended.
   */
  seek(key: Uint8Array): void {
    const cursor = this.#cursor;
    this.#currentBytes = 0;
    this.#isJumping = false;
    if (this.#reverse) {
      const after = keyAfter(key);
      const upper = this.#upper;
      const isWithin = upper === undefined || compareBytes(after, upper) < 0;
      cursor.seekBefore(isWithin ? after : upper, NEWEST_LOW, NEWEST_HIGH);
    } else {
      const lower = this.#lower;
      const isWithin = lower === undefined || compareBytes(key, lower) > 0;
      cursor.seek(isWithin ? key : lower, this.#snapshotLow, this.#snapshotHigh);
    }
    this.#settle();
  }

  /** While PAUSED: the first key that is not passed yet; backwards, the first that is passed already. */
  get resumeKey(): Uint8Array {
    assert(this.state === CURSOR.PAUSED);
    const key = this.#currentKey();
    return this.#reverse || this.#isDecided ? keyAfter(key) : new Uint8Array(key);
  }

  async load(): Promise<void> {
    assert(this.state === CURSOR.BLOCKED);
    await this.#cursor.load();
    this.#settle();
  }

  loadSync(): void {
    assert(this.state === CURSOR.BLOCKED);
    this.#cursor.loadSync();
    this.#settle();
  }

  #settle(): void {
    if (this.#reverse) this.#settleBackwards();
    else this.#settleForwards();
  }

  /** Goes on until an entry is to be shown, or the scan ends or blocks. */
  #settleForwards(): void {
    const cursor = this.#cursor;
    while (cursor.state === CURSOR.VALID) {
      if (!this.#isAtCurrent()) {
        if (this.#isPastUpper()) {
          this.state = CURSOR.END;
          return;
        }
        this.#setCurrent();
      }
      if (!this.#isDecided && !this.#isTooNew()) {
        this.#isDecided = true;
        this.#steps = 0;
        this.#hold();
        if (this.#heldKind !== KIND.DELETE) {
          this.key = cursor.key;
          this.keyStart = cursor.keyStart;
          this.keyEnd = cursor.keyEnd;
          this.state = CURSOR.VALID;
          return;
        }
      }
      this.skipped++;
      if (++this.#steps !== STEPS_MAX) cursor.next();
      else if (this.#isDecided) cursor.seek(this.#currentKey(), 0, 0);
      else cursor.seek(this.#currentKey(), this.#snapshotLow, this.#snapshotHigh);
      if (this.skipped >= this.pauseAt) {
        this.state = CURSOR.PAUSED;
        return;
      }
    }
    this.state = cursor.state;
  }

  #settleBackwards(): void {
    const cursor = this.#cursor;
    while (cursor.state !== CURSOR.BLOCKED) {
      const isAtCurrent = cursor.state === CURSOR.VALID && this.#isAtCurrent();
      if (isAtCurrent || this.#isJumping) {
        if (isAtCurrent && !this.#isTooNew()) this.#hold();
        this.skipped++;
        if (this.#isJumping) {
          this.#isJumping = false;
          cursor.seekBefore(this.#currentKey(), NEWEST_LOW, NEWEST_HIGH);
        } else if (++this.#steps === STEPS_MAX) {
          this.#isJumping = true;
          cursor.seek(this.#currentKey(), this.#snapshotLow, this.#snapshotHigh);
        } else cursor.prev();
        if (this.skipped < this.pauseAt) continue;
        this.state = CURSOR.PAUSED;
        return;
      }
      // All of the current key's versions were read, if there is one.
      if (this.#currentBytes > 0 && this.#heldKind !== KIND.DELETE) {
        this.skipped--;
        this.key = this.#current;
        this.keyStart = 0;
        this.keyEnd = this.#currentBytes;
        this.state = CURSOR.VALID;
        return;
      }
      if (cursor.state === CURSOR.END || this.#isBelowLower()) {
        this.state = CURSOR.END;
        return;
      }
      this.#setCurrent();
    }
    this.state = CURSOR.BLOCKED;
  }

  #isAtCurrent(): boolean {
    const { key, keyStart, keyEnd } = this.#cursor;
    const length = this.#currentBytes;
    if (keyEnd - keyStart !== length) return false;
    const current = this.#current;
    // From the end, where neighbouring keys differ first.
    for (let i = length - 1; i >= 0; i--) if (current[i] !== key[keyStart + i]) return false;
    return true;
  }

  #setCurrent(): void {
    const { key, keyStart, keyEnd } = this.#cursor;
    const length = keyEnd - keyStart;
    if (length > this.#current.length) this.#current = new Uint8Array(length * 2);
    const current = this.#current;
    for (let i = 0; i < length; i++) current[i] = key[keyStart + i]!;
    this.#currentBytes = length;
    this.#steps = 0;
    this.#isDecided = false;
    this.#heldKind = KIND.DELETE;
  }

  #currentKey(): Uint8Array {
    return this.#current.subarray(0, this.#currentBytes);
  }

  #isTooNew(): boolean {
    const { trailerHigh: high, trailerLow: low } = this.#cursor;
    return high === this.#snapshotHigh ? low > this.#snapshotLow : high > this.#snapshotHigh;
  }

  #isPastUpper(): boolean {
    const upper = this.#upper;
    if (upper === undefined) return false;
    const { key, keyStart, keyEnd } = this.#cursor;
    return compareRanges(key, keyStart, keyEnd, upper, 0, upper.length) >= 0;
  }

  #isBelowLower(): boolean {
    const lower = this.#lower;
    if (lower === undefined) return false;
    const { key, keyStart, keyEnd } = this.#cursor;
    return compareRanges(key, keyStart, keyEnd, lower, 0, lower.length) < 0;
  }

  #hold(): void {
    const cursor = this.#cursor;
    const kind = kindOf(cursor.trailerLow);
    this.#heldKind = KIND.PUT;
    this.isMerge = false;
    this.value = cursor.value;
    this.valueStart = cursor.valueStart;
    this.valueEnd = cursor.valueEnd;
    if (kind !== KIND.PUT) this.#judge(kind);
  }

  /** What a version means that is not a plain put. */
  #judge(kind: number): void {
    if (!isKnownKind(kind)) {
      const key = Buffer.from(this.#currentKey()).toString("hex");
      throw new VarveError("CORRUPTION", `a version of key ${key} (hex) has unknown kind ${kind}`);
    }
    const base = baseKindOf(kind);
    const expiresAt = expiresAtOf(kind, this.value, this.valueStart);
    this.#heldKind = expiresAt <= this.#now() ? KIND.DELETE : base;
    this.isMerge = base === KIND.MERGE;
    this.valueStart += headerBytes(kind);
  }
}
