import type { HiddenParts } from "./hidden-entries.ts";

/**
 * What the rest of the engine knows of a table without opening it; the manifest keeps it, so a database
 * opens without reading its tables.
 */
export interface TableMeta {
  /** The file is `tablePath(directory, number)`. */
  readonly number: number;
  readonly fileBytes: number;
  /** Bytes at the end of the file that hold filter, index, properties and footer: one read opens the table. */
  readonly tailBytes: number;
  readonly entries: number;
  readonly tombstones: number;
  /** Fragments of deleted ranges. */
  readonly rangeDeletes: number;
  /**
   * User keys of the first and the last entry, or the start and end of a deleted range where that is beyond them.
   * Versions of one user key are never split between tables of a level.
   */
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  readonly smallestSequence: number;
  readonly largestSequence: number;
  /** Key and value bytes before prefix compression and codec. */
  readonly rawBytes: number;
  /** Wall clock in milliseconds, when the table was written. */
  readonly createdAtMs: number;
  /** The earliest time at which one of the entries was committed. */
  readonly oldestMs: number;
  /** Entries whose values expire, and when half of them will have; 0 where there is none. */
  readonly expiring: number;
  readonly halfExpiredMs: number;
  /** Entries that a newer version of their key hides, in this table. */
  readonly hidden: number;
  /** The sequence up to which versions hide a quarter of all entries; 0 where fewer are hidden. */
  readonly quarterHiddenAt: number;
  /** Where it differs between keyspaces what is retained: how many of these are in which. */
  readonly hiddenParts?: HiddenParts;
}
