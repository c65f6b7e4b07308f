/**
 * Folds the versions of one user key after the other, newest first, into those that are kept: of each stripe
 * (`stripes.ts`) the newest, which takes over what the others counted: how many they were and since when.
 *
 * - A tombstone is kept like any version, except in the oldest stripe: there it only hides what is older, and where
 *   nothing older can be in a deeper level, it goes too.
 * - An operand is folded into the operand or value below it.
 * - What has expired loses its value. What is left of it goes as a tombstone does, once no version can be above that
 *   was written before it expired, and so counts it.
 *
 * Hot path: next to nothing for a key with one version, which most are; values are not copied, as the blocks that
 * they stand in stay as they are.
 */
import {
  createdAtOf,
  expiresAtOf,
  HEADER_BYTES_MAX,
  headerBytes,
  revisionsOf,
  writeHeader,
} from "../entry-header.ts";
import { baseKindOf, FLAG, KIND, kindOf, sequenceOf } from "../key.ts";
import { applyOperand, combineOperands, encodeOperand, operatorOf } from "../merge-operators.ts";
import type { Stripes } from "./stripes.ts";

const EMPTY = new Uint8Array();
const NEVER = Number.POSITIVE_INFINITY;

/** A version as it comes; the fields of a cursor. */
export interface FoldInput {
  readonly trailerLow: number;
  readonly trailerHigh: number;
  readonly value: Uint8Array;
  readonly valueStart: number;
  readonly valueEnd: number;
  timeMs(): number;
}

export interface FoldTimes {
  /** What expires at or before it has expired. */
  readonly nowMs: number;
  /** Nothing newer than these versions, in whatever memtable or table, was written before. */
  readonly newerFromMs: number;
}

export class VersionFold {
  /** The version that `end` or `add` has kept. */
  trailerLow = 0;
  trailerHigh = 0;
  timeMs = 0;
  value: Uint8Array = EMPTY;
  valueStart = 0;
  valueEnd = 0;
  readonly #stripes: Stripes;
  readonly #times: FoldTimes;
  #stripe = 0;
  /** A version is held, whose place among those kept is not decided yet. */
  #isHeld = false;
  /** The held version. */
  #low = 0;
  #high = 0;
  #time = 0;
  #value: Uint8Array = EMPTY;
  #valueStart = 0;
  #valueEnd = 0;
  /** What it stands for with all that were folded into it. */
  #kind: number = KIND.PUT;
  #expiresAt = NEVER;
  #revisions = 0;
  #createdAt = 0;
  #isBorn = false;
  /** When the oldest was written of those that the version before, which was kept, stands for. */
  #aboveMs = NEVER;
  /** It is not stored as it came. Its value, without what stands in front of it, is then in the fields above. */
  #isChanged = false;
  #scratch = new Uint8Array(1024);

  constructor(stripes: Stripes, times: FoldTimes) {
    this.#stripes = stripes;
    this.#times = times;
  }

  /**
   * Takes the next version of the key. Whether an earlier one was kept by that: it is then in the fields, until
   * the next call.
   */
  add(version: FoldInput): boolean {
    const stripe = this.#stripes.of(sequenceOf(version.trailerLow, version.trailerHigh));
    if (this.#isHeld && stripe === this.#stripe && this.#absorb(version)) return false;
    const kept = this.#isHeld;
    if (kept) this.#keep();
    this.#hold(version, stripe);
    return kept;
  }

  /** The next version of the key was deleted with a range, and nobody sees it: what is held came after that. */
  skip(sequence: number): void {
    if (!this.#isHeld || this.#stripes.of(sequence) !== this.#stripe) return;
    if (this.#isBorn || (this.#kind === KIND.DELETE && this.#expiresAt === NEVER)) return;
    if (this.#kind === KIND.MERGE) this.#resolve(undefined);
    this.#bear();
  }

  /** After the key's last version. `hasDeeper` says whether an older one may be in a deeper level. */
  end(hasDeeper: () => boolean): boolean {
    if (!this.#isHeld) return false;
    const isGone = this.#stripe === 0 && !this.#isPlain() && !hasDeeper() && this.#isGone();
    if (!isGone) this.#keep();
    this.#isHeld = false;
    this.#aboveMs = NEVER;
    return !isGone;
  }

  /** Whether it makes no difference that nothing is older. */
  #isPlain(): boolean {
    return (
      this.#kind === KIND.PUT &&
      this.#expiresAt === NEVER &&
      (this.#revisions === 1 || this.#isBorn)
    );
  }

  /** Where nothing is older: whether the held version goes. Else it may be told from one that has a past. */
  #isGone(): boolean {
    const { nowMs, newerFromMs } = this.#times;
    if (this.#expiresAt <= nowMs) {
      return this.#expiresAt < newerFromMs && this.#expiresAt <= this.#aboveMs;
    }
    if (this.#kind === KIND.DELETE) return this.#expiresAt === NEVER;
    if (this.#kind === KIND.MERGE) this.#resolve(undefined);
    if (this.#revisions > 1 && !this.#isBorn) this.#bear();
    return false;
  }

  #hold(version: FoldInput, stripe: number): void {
    const { trailerLow, value, valueStart } = version;
    const kind = kindOf(trailerLow);
    this.#isHeld = true;
    this.#stripe = stripe;
    this.#low = trailerLow;
    this.#high = version.trailerHigh;
    this.#time = version.timeMs();
    this.#value = value;
    this.#valueStart = valueStart;
    this.#valueEnd = version.valueEnd;
    this.#isChanged = false;
    if (kind === KIND.PUT) {
      this.#kind = KIND.PUT;
      this.#expiresAt = NEVER;
      this.#revisions = 1;
      this.#createdAt = this.#time;
      this.#isBorn = false;
      return;
    }
    this.#kind = baseKindOf(kind);
    this.#expiresAt = expiresAtOf(kind, value, valueStart);
    this.#revisions = revisionsOf(kind, value, valueStart);
    this.#createdAt = createdAtOf(kind, value, valueStart, this.#time);
    this.#isBorn = (kind & FLAG.BORN) !== 0;
  }

  /** Takes over what an older version of the same stripe stands for; false where both must be kept. */
  #absorb(version: FoldInput): boolean {
    if (this.#kind === KIND.DELETE && this.#expiresAt === NEVER) return true;
    if (this.#isBorn) return true;
    const { trailerLow, value, valueStart, valueEnd } = version;
    const kind = kindOf(trailerLow);
    const expiresAt = expiresAtOf(kind, value, valueStart);
    const isTombstone = baseKindOf(kind) === KIND.DELETE && expiresAt === NEVER;
    if (isTombstone || expiresAt <= this.#createdAt) {
      if (this.#kind === KIND.MERGE) this.#resolve(undefined);
      this.#bear();
      return true;
    }
    if (this.#kind === KIND.MERGE) {
      const bare = value.subarray(valueStart + headerBytes(kind), valueEnd);
      if (!this.#mergeOver(baseKindOf(kind), bare, expiresAt)) return false;
    }
    this.#change();
    this.#revisions += revisionsOf(kind, value, valueStart);
    this.#createdAt = createdAtOf(kind, value, valueStart, version.timeMs());
    this.#isBorn = (kind & FLAG.BORN) !== 0;
    return true;
  }

  /** Folds the held operand into what is below it; false where that is an operand of another operator. */
  #mergeOver(kind: number, below: Uint8Array, expiresAt: number): boolean {
    if (kind !== KIND.MERGE) {
      this.#resolve(kind === KIND.PUT ? below : undefined);
      this.#expiresAt = expiresAt;
      return true;
    }
    const held = this.#bare();
    const operator = operatorOf(held, 0);
    if (operator === undefined || operator !== operatorOf(below, 0)) return false;
    const combined = combineOperands(operator, below.subarray(1), held.subarray(1));
    this.#setValue(encodeOperand(operator, combined));
    return true;
  }

  /** Makes a value of the held operand. An operator that is not known leaves the operand as it is. */
  #resolve(value: Uint8Array | undefined): void {
    const held = this.#bare();
    const operator = operatorOf(held, 0);
    if (operator === undefined) return;
    this.#setValue(applyOperand(operator, value, held.subarray(1)));
    this.#kind = KIND.PUT;
  }

  #bear(): void {
    this.#change();
    this.#isBorn = true;
  }

  /** The held value without what stands in front of it. */
  #bare(): Uint8Array {
    this.#change();
    return this.#value.subarray(this.#valueStart, this.#valueEnd);
  }

  #setValue(value: Uint8Array): void {
    this.#change();
    this.#value = value;
    this.#valueStart = 0;
    this.#valueEnd = value.length;
  }

  #change(): void {
    if (this.#isChanged) return;
    this.#isChanged = true;
    this.#valueStart += headerBytes(kindOf(this.#low));
  }

  #keep(): void {
    if (this.#kind === KIND.PUT && this.#expiresAt <= this.#times.nowMs) {
      this.#setValue(EMPTY);
      this.#kind = KIND.DELETE;
    }
    this.#aboveMs = this.#createdAt;
    this.trailerHigh = this.#high;
    this.timeMs = this.#time;
    if (this.#isChanged) {
      this.#writeChanged();
      return;
    }
    this.trailerLow = this.#low;
    this.value = this.#value;
    this.valueStart = this.#valueStart;
    this.valueEnd = this.#valueEnd;
  }

  /** The held value, behind a header of its own. */
  #writeChanged(): void {
    const bytes = this.#valueEnd - this.#valueStart;
    if (bytes + HEADER_BYTES_MAX > this.#scratch.length) {
      this.#scratch = new Uint8Array((bytes + HEADER_BYTES_MAX) * 2);
    }
    const kind =
      this.#kind |
      (this.#expiresAt === NEVER ? 0 : FLAG.EXPIRES) |
      (this.#revisions === 1 ? 0 : FLAG.FOLDED) |
      (this.#isBorn ? FLAG.BORN : 0);
    const scratch = this.#scratch;
    const at = writeHeader(scratch, kind, this.#expiresAt, this.#revisions, this.#createdAt);
    scratch.set(this.#value.subarray(this.#valueStart, this.#valueEnd), at);
    this.trailerLow = (this.#low - kindOf(this.#low) + kind) >>> 0;
    this.value = scratch;
    this.valueStart = 0;
    this.valueEnd = at + bytes;
  }
}
