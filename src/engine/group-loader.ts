/** Puts the commit groups of a log into memtables, many at a time in the order of their keys. */
import { trailerHigh, trailerLow } from "../key.ts";
import type { CommitGroupReader } from "../log/commit-group.ts";
import type { Memtable } from "../memtable/memtable.ts";
import { SortedInserts } from "../memtable/sorted-inserts.ts";
import type { MemtableSet } from "./memtable-set.ts";

/** Few enough to stay in the processor's cache, many enough that neighbours are near. */
const GATHER_BYTES = 2 * 1024 * 1024;

export class GroupLoader {
  readonly #memtables: MemtableSet;
  readonly #gathered = new SortedInserts();
  #bytes: Uint8Array = new Uint8Array();

  constructor(memtables: MemtableSet) {
    this.#memtables = memtables;
  }

  /** Takes the group's operations. Returns the memtable that was full before them, if one was. */
  add(group: CommitGroupReader): Memtable | undefined {
    if (group.bytes !== this.#bytes || this.#gathered.bytes >= GATHER_BYTES) this.finish();
    this.#bytes = group.bytes;
    const full = this.#makeRoom(group.operations, group.payloadBytes);
    while (group.next()) {
      const low = trailerLow(group.sequence, group.kind);
      const high = trailerHigh(group.sequence);
      this.#gathered.add(group.keyStart, group.keyEnd, group.valueEnd, low, high);
    }
    return full;
  }

  /** Inserts what was gathered; to be called after the last group. */
  finish(): void {
    this.#gathered.insertInto(this.#memtables.active, this.#bytes);
    this.#bytes = new Uint8Array();
  }

  #makeRoom(operations: number, bytes: number): Memtable | undefined {
    const { entries, bytes: gatheredBytes } = this.#gathered;
    if (this.#memtables.hasRoom(entries + operations, gatheredBytes + bytes)) return undefined;
    this.#gathered.insertInto(this.#memtables.active, this.#bytes);
    if (this.#memtables.hasRoom(operations, bytes)) return undefined;
    return this.#memtables.rotate(operations, bytes);
  }
}
