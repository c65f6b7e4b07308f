/**
 * Reads the columns of a data block (`data-block.ts`): where each entry begins, its trailer's high half, its time.
 *
 * Hot path: a point read enters one block and asks for one or two entries.
 */
import { readU32, readU48 } from "../bytes/little-endian.ts";
import {
  FOOTER_BYTES,
  HIGH_WIDTH_MASK,
  SHORT_BLOCK_BYTES_MAX,
  TIME_WIDTH_SHIFT,
  WIDTHS_AT,
} from "./data-block.ts";

const NO_BLOCK = new Uint8Array();

export class BlockColumns {
  block: Uint8Array = NO_BLOCK;
  entries = 0;
  /** The prefix itself is at the block's beginning. */
  prefixBytes = 0;
  /** Where the first tag is; one byte for each entry. */
  tagsAt = 0;
  #offsetsAt = 0;
  #highsAt = 0;
  #timesAt = 0;
  #highBytes = 0;
  #timeBytes = 0;
  #highBase = 0;

  enter(block: Uint8Array): void {
    if (block === this.block) return;
    this.block = block;
    const footerAt = block.length - FOOTER_BYTES;
    const widths = block[footerAt + WIDTHS_AT]!;
    const entries = readU32(block, footerAt + WIDTHS_AT + 5);
    const highBytes = widths & HIGH_WIDTH_MASK;
    const timeBytes = widths >>> TIME_WIDTH_SHIFT;
    this.entries = entries;
    this.prefixBytes = readU32(block, footerAt + WIDTHS_AT + 1);
    this.tagsAt = footerAt - entries;
    this.#timesAt = this.tagsAt - entries * timeBytes;
    this.#highsAt = this.#timesAt - entries * highBytes;
    this.#offsetsAt = this.#highsAt - entries * (block.length > SHORT_BLOCK_BYTES_MAX ? 4 : 2);
    this.#highBytes = highBytes;
    this.#timeBytes = timeBytes;
    this.#highBase = readU32(block, footerAt + 6);
  }

  /** Where an entry begins. */
  entryAt(entry: number): number {
    const block = this.block;
    if (block.length > SHORT_BLOCK_BYTES_MAX) return readU32(block, this.#offsetsAt + entry * 4);
    const at = this.#offsetsAt + entry * 2;
    return block[at]! | (block[at + 1]! << 8);
  }

  /** The high half of an entry's trailer. */
  trailerHigh(entry: number): number {
    switch (this.#highBytes) {
      case 0:
        return this.#highBase;
      case 1:
        return this.#highBase + this.block[this.#highsAt + entry]!;
      default:
        return this.#highBase + readU32(this.block, this.#highsAt + entry * 4);
    }
  }

  /** When an entry was committed, in milliseconds. */
  timeMs(entry: number): number {
    const block = this.block;
    const base = readU48(block, block.length - FOOTER_BYTES);
    const at = this.#timesAt + entry * this.#timeBytes;
    switch (this.#timeBytes) {
      case 0:
        return base;
      case 2:
        return base + (block[at]! | (block[at + 1]! << 8));
      case 4:
        return base + readU32(block, at);
      default:
        return base + readU48(block, at);
    }
  }
}
