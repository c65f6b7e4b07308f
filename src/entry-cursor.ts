/**
 * A cursor over internal keys in their order (`src/key.ts`): what memtables, tables, levels and merges of
 * them have in common.
 *
 * Moves are synchronous as long as everything is in memory. A move that needs a block that is not becomes
 * `BLOCKED`: nothing else may be asked of the cursor until `load` (off the event loop) or `loadSync`
 * (blocking, for workers and for callers that chose to wait) has fetched what is missing **and finished
 * that move**; the state is then again `VALID`, `END`, or `BLOCKED` on the next thing. A driver therefore
 * reads
 *
 *   cursor.next();
 *   while (cursor.state === CURSOR.BLOCKED) await cursor.load();
 *
 * and never awaits what is already in memory. If `load` throws, the cursor stays BLOCKED on the same move.
 * The key of a seek is not copied: it must stay as it is until the seek has ended.
 *
 * Hot path: the entry is exposed as plain fields over shared arrays, so that no move allocates. They are
 * meaningful while `state` is VALID, and until the next move. Implementations declare the same fields in
 * the same order, which keeps the merge's property accesses fast.
 */
import type { KeptShapes } from "./kept-shapes.ts";

export const CURSOR = {
  /** Not positioned, or moved past either end. */
  END: 0,
  /** On an entry. */
  VALID: 1,
  /** In the middle of a move that waits for `load`. */
  BLOCKED: 2,
  /** Of a `VisibleCursor` alone: it has passed over as much as it may without a pause. */
  PAUSED: 3,
} as const;
export type CursorState = (typeof CURSOR)[keyof typeof CURSOR];

export interface EntryCursor {
  readonly state: CursorState;
  /** The user key is `key[keyStart, keyEnd)`. */
  readonly key: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  /** The trailer's halves; see `src/key.ts`. */
  readonly trailerLow: number;
  readonly trailerHigh: number;
  /** The value is `value[valueStart, valueEnd)`; its bytes stay as they are while the reader's pin holds. */
  readonly value: Uint8Array;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** When the present entry was committed: milliseconds of the wall clock. Asked for seldom, so no field. */
  timeMs(): number;

  /** To the first entry. */
  first(): void;
  /** To the last entry. */
  last(): void;
  /** To the first entry at or after (key, trailer). */
  seek(key: Uint8Array, trailerLow: number, trailerHigh: number): void;
  /** To the last entry strictly before (key, trailer). */
  seekBefore(key: Uint8Array, trailerLow: number, trailerHigh: number): void;
  /** From a valid entry to the one after it. */
  next(): void;
  /** From a valid entry to the one before it. Directions may alternate. */
  prev(): void;

  load(): Promise<void>;
  loadSync(): void;

  /** Ends it, and what it has taken over, for good: it lets go of all that is large, and is kept for its shape. */
  retire(shapes: KeptShapes): void;
}
