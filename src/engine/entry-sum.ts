/** What is known of an entry, summed over the versions of its key down to the one with which it came into being. */
import type { BytePool } from "../bytes/byte-pool.ts";
import { KIND } from "../key.ts";
import { type KeyVersions, WALK } from "./key-versions.ts";

export class EntrySum {
  /** A copy; `undefined` where the key is absent, and where the newest version is an operand. */
  value: Uint8Array | undefined;
  isMerge = false;
  /** 0 where the key is absent; all is whole once `advance` has returned true. */
  revision = 0;
  sequence = 0;
  createdAtMs = 0;
  updatedAtMs = 0;
  expiresAtMs = Number.POSITIVE_INFINITY;
  readonly #versions: KeyVersions;
  readonly #pool: BytePool;
  readonly #nowMs: number;

  /** Over versions whose walk, by lives, was started. */
  constructor(versions: KeyVersions, pool: BytePool, nowMs: number) {
    this.#versions = versions;
    this.#pool = pool;
    this.#nowMs = nowMs;
  }

  /** Sums as far as memory goes; false where the versions must load before it is called again. */
  advance(): boolean {
    const versions = this.#versions;
    for (;;) {
      const state = versions.next();
      if (state === WALK.BLOCKED) return false;
      if (state === WALK.END || !this.#counts()) return true;
      this.#add();
      if (versions.isBorn) return true;
    }
  }

  /** Whether the version was there: now, if it is the newest, or else when the one above it was written. */
  #counts(): boolean {
    const { kind, expiresAtMs } = this.#versions;
    if (kind === KIND.DELETE && (this.revision === 0 || expiresAtMs === Number.POSITIVE_INFINITY)) {
      return false;
    }
    return expiresAtMs > (this.revision === 0 ? this.#nowMs : this.createdAtMs);
  }

  #add(): void {
    const { sequence, revisions, createdAtMs, timeMs, expiresAtMs } = this.#versions;
    if (this.revision === 0) {
      this.#takeValue();
      this.sequence = sequence;
      this.updatedAtMs = timeMs;
      this.expiresAtMs = expiresAtMs;
    }
    this.revision += revisions;
    this.createdAtMs = createdAtMs;
  }

  #takeValue(): void {
    const { kind, value, valueStart, valueEnd } = this.#versions;
    this.isMerge = kind === KIND.MERGE;
    if (!this.isMerge) this.value = this.#pool.copy(value, valueStart, valueEnd);
  }
}
