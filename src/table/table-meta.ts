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
  /** User keys of the first and the last entry. Versions of one user key are never split between tables of a level. */
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  readonly smallestSequence: number;
  readonly largestSequence: number;
  /** Key and value bytes before prefix compression and codec. */
  readonly rawBytes: number;
  /** Wall clock in milliseconds, when the table was written. */
  readonly createdAtMs: number;
}
