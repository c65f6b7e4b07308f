/**
 * The memory that the main thread and the reading threads share: a ring of slots, each one read.
 *
 *   tail i32 | head i32 | sleeping i32 | posted i32 | slow i32 | unused | slot … | data …
 *
 *   slot = state i32 | descriptor i32 | length i32 | positionLow i32 | positionHigh i32 | result i32 | unused
 *
 * The main thread fills the slot at `tail` and moves `tail` on; a reading thread takes the slot at `head` and
 * moves `head` on, reads into the slot's data, and says so in its `state`. The main thread takes the results
 * and frees the slots in the ring's order. `tail` and `head` count on; they wrap around at 2^32.
 */

export const TAIL = 0;
export const HEAD = 1;
/** Reading threads that wait for `tail` to move. */
export const SLEEPING = 2;
/** 1 where a message to the main thread is on its way. */
export const POSTED = 3;
/** 1 where the last read had to wait for the disk. */
export const SLOW = 4;

const SLOTS_AT = 8;
const SLOT_WORDS = 8;
export const RING_SLOTS = 256;
/** The most that a read through the ring may ask for. */
export const RING_READ_BYTES_MAX = 16 * 1024;

export const STATE = 0;
export const DESCRIPTOR = 1;
export const LENGTH = 2;
export const POSITION_LOW = 3;
export const POSITION_HIGH = 4;
/** Bytes read, or `RESULT_FAILED`. */
export const RESULT = 5;
export const RESULT_FAILED = -1;

export const SLOT_FREE = 0;
export const SLOT_TAKEN = 1;
export const SLOT_DONE = 2;

const CONTROL_WORDS = SLOTS_AT + RING_SLOTS * SLOT_WORDS;

export interface ReadRing {
  readonly memory: SharedArrayBuffer;
  readonly words: Int32Array;
  /** The data of each slot. */
  readonly data: readonly Uint8Array[];
}

export function createRing(): ReadRing {
  return ringOver(new SharedArrayBuffer(CONTROL_WORDS * 4 + RING_SLOTS * RING_READ_BYTES_MAX));
}

export function ringOver(memory: SharedArrayBuffer): ReadRing {
  const words = new Int32Array(memory, 0, CONTROL_WORDS);
  const data = Array.from(
    { length: RING_SLOTS },
    (_, i) =>
      new Uint8Array(memory, CONTROL_WORDS * 4 + i * RING_READ_BYTES_MAX, RING_READ_BYTES_MAX),
  );
  return { memory, words, data };
}

/** The first word of the slot that a count of `tail` or `head` names. */
export function slotAt(count: number): number {
  return SLOTS_AT + slotIndex(count) * SLOT_WORDS;
}

export function slotIndex(count: number): number {
  return (count >>> 0) % RING_SLOTS;
}
