/**
 * The reading thread's program: takes reads from the ring, makes them with blocking calls, and tells the main
 * thread once for many of them.
 */
import { readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import {
  DESCRIPTOR,
  HEAD,
  LENGTH,
  POSITION_HIGH,
  POSITION_LOW,
  POSTED,
  RESULT,
  RESULT_FAILED,
  ringOver,
  SLEEPING,
  SLOT_DONE,
  SLOW,
  STATE,
  slotAt,
  slotIndex,
  TAIL,
} from "./read-ring.ts";

/** How long to look for more before going to sleep: a wake-up costs the main thread about as much. */
const SPIN_MS = 0.02;
/** A read that took longer did not come from the system's cache. */
const SLOW_MS = 0.05;
/** Results that wait for a message, at most. */
const UNTOLD_MAX = 16;

if (parentPort === null) throw new Error("this program runs as a worker thread only");
const port = parentPort;
const { words, data } = ringOver(workerData as SharedArrayBuffer);

port.postMessage("ready");
for (let untold = 0; ; ) {
  const head = Atomics.load(words, HEAD);
  const tail = Atomics.load(words, TAIL);
  if (head === tail) {
    if (untold > 0) tell();
    untold = 0;
    waitFor(tail);
  } else if (Atomics.compareExchange(words, HEAD, head, (head + 1) | 0) === head) {
    // Where reads take long, others should not wait behind this one.
    if (Atomics.load(words, SLOW) === 1) Atomics.notify(words, TAIL, 1);
    read(head);
    if (++untold >= UNTOLD_MAX) {
      tell();
      untold = 0;
    }
  }
}

function read(count: number): void {
  const slot = slotAt(count);
  const position = words[slot + POSITION_HIGH]! * 2 ** 32 + (words[slot + POSITION_LOW]! >>> 0);
  const target = data[slotIndex(count)]!;
  const length = words[slot + LENGTH]!;
  const startedMs = performance.now();
  try {
    let done = 0;
    while (done < length) {
      const bytes = readSync(
        words[slot + DESCRIPTOR]!,
        target,
        done,
        length - done,
        position + done,
      );
      if (bytes === 0) break;
      done += bytes;
    }
    words[slot + RESULT] = done;
  } catch {
    // The main thread reads again by itself, and learns why.
    words[slot + RESULT] = RESULT_FAILED;
  }
  Atomics.store(words, SLOW, performance.now() - startedMs > SLOW_MS ? 1 : 0);
  Atomics.store(words, slot + STATE, SLOT_DONE);
}

function tell(): void {
  if (Atomics.exchange(words, POSTED, 1) === 0) port.postMessage("done");
}

function waitFor(tail: number): void {
  const until = performance.now() + SPIN_MS;
  while (performance.now() < until) if (Atomics.load(words, TAIL) !== tail) return;
  Atomics.add(words, SLEEPING, 1);
  Atomics.wait(words, TAIL, tail);
  Atomics.sub(words, SLEEPING, 1);
}
