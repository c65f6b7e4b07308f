/** The numbers of a database's files, drawn by the main thread and by workers from shared memory. */
export class FileNumbers {
  /** The last number used, as an `Int32Array` of one; two thousand million files are enough. */
  readonly shared = new SharedArrayBuffer(4);
  readonly #last = new Int32Array(this.shared);

  constructor(next: number) {
    this.#last[0] = next - 1;
  }

  /** The number that the next `allocate` returns, unless a worker is faster. */
  get next(): number {
    return Atomics.load(this.#last, 0) + 1;
  }

  allocate(): number {
    return Atomics.add(this.#last, 0, 1) + 1;
  }
}
