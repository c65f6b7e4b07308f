/**
 * Small reads off the event loop, for less than Node's thread pool asks: there each read wakes a thread, which
 * costs several times as much as the read where the system has the bytes in its cache. Here all reads of a
 * tick go to a ring in shared memory (`read-ring.ts`), whose threads are woken once, and answer once.
 *
 * Source of the idea: io_uring's submission and completion rings.
 */
import { Worker } from "node:worker_threads";
import {
  createRing,
  DESCRIPTOR,
  LENGTH,
  POSITION_HIGH,
  POSITION_LOW,
  POSTED,
  RESULT,
  RESULT_FAILED,
  type ReadRing,
  RING_READ_BYTES_MAX,
  RING_SLOTS,
  SLEEPING,
  SLOT_DONE,
  SLOT_FREE,
  SLOT_TAKEN,
  SLOW,
  STATE,
  slotAt,
  slotIndex,
  TAIL,
} from "./read-ring.ts";

const THREADS = 2;

interface Waiting {
  readonly target: Uint8Array;
  readonly settle: (bytes: number | undefined) => void;
}

export class ReadThreads {
  readonly #ring: ReadRing = createRing();
  readonly #workers: Worker[];
  /** By slot. */
  readonly #waiting: (Waiting | undefined)[] = new Array(RING_SLOTS);
  #ready = 0;
  #tail = 0;
  /** The oldest slot that is not free. */
  #oldest = 0;
  #waking = false;
  /** Being ended, which the process has to wait for. */
  #closed = false;

  constructor() {
    const program = new URL(`./read-thread${import.meta.filename.slice(-3)}`, import.meta.url);
    this.#workers = Array.from({ length: THREADS }, () => {
      // Options that the process was started with may not suit a worker.
      const worker = new Worker(program, { workerData: this.#ring.memory, execArgv: [] });
      worker.on("error", () => this.#giveUp());
      worker.on("exit", () => this.#giveUp());
      worker.on("message", (message) => {
        if (message === "ready") this.#ready++;
        else this.#collect();
      });
      // Last, since a listener for messages refers to the port again.
      worker.unref();
      return worker;
    });
  }

  /** Whether a read of so many bytes can be taken now; if not, it is for the caller to make. */
  mayTake(bytes: number): boolean {
    return (
      this.#ready > 0 &&
      bytes <= RING_READ_BYTES_MAX &&
      this.#ring.words[slotAt(this.#tail) + STATE] === SLOT_FREE
    );
  }

  /** `settle` is told how many bytes there were, or `undefined` where the read failed. */
  read(fd: number, target: Uint8Array, position: number, settle: Waiting["settle"]): void {
    const { words } = this.#ring;
    const slot = slotAt(this.#tail);
    words[slot + STATE] = SLOT_TAKEN;
    words[slot + DESCRIPTOR] = fd;
    words[slot + LENGTH] = target.length;
    words[slot + POSITION_LOW] = position % 2 ** 32;
    words[slot + POSITION_HIGH] = Math.floor(position / 2 ** 32);
    this.#waiting[slotIndex(this.#tail)] = { target, settle };
    // A read that is under way keeps the process alive.
    if (this.#oldest === this.#tail) this.#workers[0]?.ref();
    this.#tail = (this.#tail + 1) | 0;
    Atomics.store(words, TAIL, this.#tail);
    if (this.#waking) return;
    this.#waking = true;
    queueMicrotask(() => this.#wake());
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    this.#giveUp();
  }

  /** A thread has ended: what waits is left to the callers, and nothing more is taken. */
  #giveUp(): void {
    this.#ready = Number.NEGATIVE_INFINITY;
    for (const [index, waiting] of this.#waiting.entries()) {
      this.#waiting[index] = undefined;
      waiting?.settle(undefined);
    }
  }

  #wake(): void {
    this.#waking = false;
    const { words } = this.#ring;
    // One that is awake comes to these reads, too, unless the disk holds it up.
    const sleeping = Atomics.load(words, SLEEPING);
    const must = sleeping >= this.#ready || Atomics.load(words, SLOW) === 1;
    if (sleeping > 0 && must) Atomics.notify(words, TAIL, 1);
  }

  /** Takes the results that are there, whatever their order, and frees the slots from the oldest on. */
  #collect(): void {
    const { words, data } = this.#ring;
    Atomics.store(words, POSTED, 0);
    for (let count = this.#oldest; count !== this.#tail; count = (count + 1) | 0) {
      const slot = slotAt(count);
      if (Atomics.load(words, slot + STATE) !== SLOT_DONE) continue;
      const index = slotIndex(count);
      const waiting = this.#waiting[index];
      if (waiting === undefined) continue;
      this.#waiting[index] = undefined;
      const bytes = words[slot + RESULT]!;
      if (bytes === RESULT_FAILED) waiting.settle(undefined);
      else {
        copyOut(data[index]!, waiting.target, bytes);
        waiting.settle(bytes);
      }
    }
    while (this.#oldest !== this.#tail) {
      if (this.#waiting[slotIndex(this.#oldest)] !== undefined) return;
      words[slotAt(this.#oldest) + STATE] = SLOT_FREE;
      this.#oldest = (this.#oldest + 1) | 0;
    }
    if (!this.#closed) this.#workers[0]?.unref();
  }
}

function copyOut(source: Uint8Array, target: Uint8Array, bytes: number): void {
  target.set(bytes === source.length ? source : source.subarray(0, bytes));
}
