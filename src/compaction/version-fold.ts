/**
 * Folds the versions of one user key after the other, newest first, into those that are kept: of each stripe
 * (`stripes.ts`) the newest, which takes over how many the others were and since when.
 *
 * A tombstone is kept like any version, except in the oldest stripe: there it only hides what is older, and where
 * nothing older can be in a deeper level, it goes too.
 *
 * Hot path: next to nothing for a key with one version, which most are; values are not copied, as the blocks that
 * they stand in stay as they are.
 */
import { createdAtOf, headerBytes, revisionsOf, writeFold } from "../entry-header.ts";
import { baseKindOf, FLAG, KIND, kindOf, sequenceOf } from "../key.ts";
import type { Stripes } from "./stripes.ts";

const EMPTY = new Uint8Array();
const HEADER_BYTES_MAX = 16;

/** A version as it comes; the fields of a cursor. */
export interface FoldInput {
  readonly trailerLow: number;
  readonly trailerHigh: number;
  readonly value: Uint8Array;
  readonly valueStart: number;
  readonly valueEnd: number;
  timeMs(): number;
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
  #stripe = 0;
  /** A version is held, whose place among those kept is not decided yet. */
  #isHeld = false;
  /** The held version: what it stands for with all that were folded into it. */
  #low = 0;
  #high = 0;
  #time = 0;
  #value: Uint8Array = EMPTY;
  #valueStart = 0;
  #valueEnd = 0;
  #revisions = 0;
  #createdAt = 0;
  #isBorn = false;
  #hasFolded = false;
  #scratch = new Uint8Array(HEADER_BYTES_MAX + 1024);

  constructor(stripes: Stripes) {
    this.#stripes = stripes;
  }

  /**
   * Takes the next version of the key. Whether an earlier one was kept by that: it is then in the fields, until
   * the next call.
   */
  add(version: FoldInput): boolean {
    const stripe = this.#stripes.of(sequenceOf(version.trailerLow, version.trailerHigh));
    if (this.#isHeld && stripe === this.#stripe) {
      this.#fold(version);
      return false;
    }
    const kept = this.#isHeld;
    if (kept) this.#keep();
    this.#hold(version, stripe);
    return kept;
  }

  /** After the key's last version. `hasDeeper` says whether an older one may be in a deeper level. */
  end(hasDeeper: () => boolean): boolean {
    if (!this.#isHeld) return false;
    this.#isHeld = false;
    const isOldest = this.#stripe === 0;
    if (isOldest && baseKindOf(kindOf(this.#low)) === KIND.DELETE && !hasDeeper()) return false;
    // Who asks for the past of a version that has one need not look for more of it.
    if (isOldest && this.#revisions > 1 && !this.#isBorn && !hasDeeper()) this.#bear();
    this.#keep();
    return true;
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
    this.#revisions = revisionsOf(kind, value, valueStart);
    this.#createdAt = createdAtOf(kind, value, valueStart, this.#time);
    this.#isBorn = (kind & FLAG.BORN) !== 0;
    this.#hasFolded = false;
  }

  /** Takes over what an older version of the same stripe stands for. */
  #fold(version: FoldInput): void {
    if (this.#isBorn || baseKindOf(kindOf(this.#low)) === KIND.DELETE) return;
    const { trailerLow, value, valueStart } = version;
    const kind = kindOf(trailerLow);
    if (baseKindOf(kind) === KIND.DELETE) {
      this.#bear();
      return;
    }
    this.#revisions += revisionsOf(kind, value, valueStart);
    this.#createdAt = createdAtOf(kind, value, valueStart, version.timeMs());
    this.#isBorn = (kind & FLAG.BORN) !== 0;
    this.#hasFolded = true;
  }

  #bear(): void {
    this.#isBorn = true;
    this.#hasFolded = true;
  }

  #keep(): void {
    this.trailerHigh = this.#high;
    this.timeMs = this.#time;
    if (this.#hasFolded) {
      this.#writeFolded();
      return;
    }
    this.trailerLow = this.#low;
    this.value = this.#value;
    this.valueStart = this.#valueStart;
    this.valueEnd = this.#valueEnd;
  }

  /** The held version's value, behind a header of its own. */
  #writeFolded(): void {
    const kind = kindOf(this.#low);
    const start = this.#valueStart + headerBytes(kind);
    const bytes = this.#valueEnd - start;
    if (bytes + HEADER_BYTES_MAX > this.#scratch.length) {
      this.#scratch = new Uint8Array((bytes + HEADER_BYTES_MAX) * 2);
    }
    const isSingle = this.#revisions === 1;
    const at = isSingle ? 0 : writeFold(this.#scratch, 0, this.#revisions, this.#createdAt);
    this.#scratch.set(this.#value.subarray(start, this.#valueEnd), at);
    const flags = (isSingle ? 0 : FLAG.FOLDED) | (this.#isBorn ? FLAG.BORN : 0);
    this.trailerLow = (this.#low - kind + (baseKindOf(kind) | flags)) >>> 0;
    this.value = this.#scratch;
    this.valueStart = 0;
    this.valueEnd = at + bytes;
  }
}
