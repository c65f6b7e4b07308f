/**
 * Whether the next block is worth trying to compress. Values that are compressed already, or encrypted, do not get
 * smaller, and finding that out costs more than all else that is done with a block; so after some blocks in a row that
 * were stored as they are, only one in so many is tried, until one gets smaller.
 *
 * Source of the idea: the sampling of btrfs and of ZFS, which give up on a file that does not compress.
 */

const MISSES_MIN = 8;
const TRY_ONE_IN = 16;

export class CompressionTrial {
  #misses = 0;
  #skipped = 0;

  /** To be asked once for each block. */
  isDue(): boolean {
    if (this.#misses < MISSES_MIN || ++this.#skipped === TRY_ONE_IN) {
      this.#skipped = 0;
      return true;
    }
    return false;
  }

  /** How a block that was tried came out. */
  told(isSmaller: boolean): void {
    this.#misses = isSmaller ? 0 : this.#misses + 1;
  }
}
