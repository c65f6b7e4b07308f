/** `getEntry`: a value with what is known of its key, summed over the key's versions down to where it came into being. */
import type { BytePool } from "../bytes/byte-pool.ts";
import { KIND } from "../key.ts";
import type { EntryRecord } from "../store.ts";
import { type KeyVersions, WALK } from "./key-versions.ts";

export class EntrySum {
  /** `undefined` where the key is absent; whole once `advance` has returned true. */
  record: { -readonly [name in keyof EntryRecord]: EntryRecord[name] } | undefined;
  readonly #versions: KeyVersions;
  readonly #pool: BytePool;

  /** Over versions whose walk was started. */
  constructor(versions: KeyVersions, pool: BytePool) {
    this.#versions = versions;
    this.#pool = pool;
  }

  /** Sums as far as memory goes; false where the versions must load before it is called again. */
  advance(): boolean {
    const versions = this.#versions;
    for (;;) {
      const state = versions.next();
      if (state === WALK.BLOCKED) return false;
      if (state === WALK.END || versions.kind === KIND.DELETE) return true;
      this.#add();
      if (versions.isBorn) return true;
    }
  }

  #add(): void {
    const { sequence, revisions, createdAtMs, timeMs, value, valueStart, valueEnd } =
      this.#versions;
    if (this.record === undefined) {
      this.record = {
        value: this.#pool.copy(value, valueStart, valueEnd),
        sequence,
        revision: revisions,
        createdAt: createdAtMs,
        updatedAt: timeMs,
      };
      return;
    }
    this.record.revision += revisions;
    this.record.createdAt = createdAtMs;
  }
}
