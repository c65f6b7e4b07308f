/**
 * Memtables over arenas that are used again and again: a fresh `SharedArrayBuffer` costs page faults for
 * all of its size, and is freed only by a collection in every thread that has seen it. An arena for an
 * oversize batch is made for it alone.
 */
import { Memtable } from "./memtable.ts";

export class ArenaPool {
  readonly #arenaBytes: number;
  readonly #keptMax: number;
  readonly #kept: Memtable[] = [];

  /** Arenas of `arenaBytes`, of which at most `keptMax` wait unused. */
  constructor(arenaBytes: number, keptMax: number) {
    this.#arenaBytes = wholeWords(arenaBytes);
    this.#keptMax = keptMax;
  }

  /** Bytes of the memtables that wait to be used again. */
  get memoryBytes(): number {
    return this.#kept.reduce((bytes, memtable) => bytes + memtable.memoryBytes, 0);
  }

  /**
   * An empty memtable of the standard size, or larger where `bytesMin` asks for it; `keepsOrder` as
   * `Memtable.reset` takes it.
   */
  take(bytesMin = 0, keepsOrder = false): Memtable {
    const isStandard = bytesMin <= this.#arenaBytes;
    const kept = isStandard ? this.#kept.pop() : undefined;
    const memtable = kept ?? Memtable.create(Math.max(this.#arenaBytes, wholeWords(bytesMin)));
    memtable.reset(keepsOrder);
    return memtable;
  }

  /** Takes back a memtable that no one reads or writes any more, in any thread. */
  give(memtable: Memtable): void {
    const isStandard = memtable.arenaBytes === this.#arenaBytes;
    if (isStandard && this.#kept.length < this.#keptMax) this.#kept.push(memtable);
  }
}

function wholeWords(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}
