/**
 * A watch of the engine: steps its follower through the log, waits where that is at the end, and says how far it is
 * when it has had nothing to tell for the heartbeat's time. Reads only while somebody waits for `next`.
 */
import { VarveError } from "../errors.ts";
import type { Clock } from "../fs/clock.ts";
import { FOLLOWED, type LogFollower } from "../log/log-follower.ts";
import type { KeyMapping, Watch, WatchEvent } from "../store.ts";

const END: IteratorResult<WatchEvent, undefined> = { done: true, value: undefined };

export interface EngineWatchParts {
  readonly follower: LogFollower;
  /** Of whom the events are told. */
  readonly keys: KeyMapping;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly signal: AbortSignal | undefined;
  readonly visible: () => number;
  /** Why nothing will become visible any more, once that is so. */
  readonly failure: () => VarveError | undefined;
  /** Called once, when nothing is read any more. */
  readonly release: () => Promise<void>;
}

export class EngineWatch implements Watch {
  readonly #parts: EngineWatchParts;
  /** The last `next`, which later calls queue behind. */
  #last: Promise<unknown> = Promise.resolve();
  #begun = false;
  #toldMs: number;
  /** No more is told; `#failure` is thrown once, where there is one. */
  #ended = false;
  #failure: VarveError | undefined;
  #released: Promise<void> | undefined;
  #wakeUp: (() => void) | undefined;

  constructor(parts: EngineWatchParts) {
    this.#parts = parts;
    this.#toldMs = parts.clock.monotonicMs();
    parts.signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (parts.signal?.aborted) this.#onAbort();
  }

  next(): Promise<IteratorResult<WatchEvent, undefined>> {
    const step = () => this.#next();
    const result = this.#last.then(step, step);
    this.#last = result;
    return result;
  }

  async return(): Promise<IteratorResult<WatchEvent, undefined>> {
    this.#failure = undefined;
    await this.#end();
    return END;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** All up to here has been told, or is about to be. */
  get sequence(): number {
    return this.#parts.follower.sequence;
  }

  /** There may be something new. */
  wake(): void {
    this.#wakeUp?.();
  }

  /** Ends the watch; who waits, or asks next, is told why. */
  async fail(error: VarveError): Promise<void> {
    if (!this.#ended) this.#failure = error;
    await this.#end();
  }

  /** Resolves when nothing is read any more. */
  #end(): Promise<void> {
    this.#ended = true;
    this.wake();
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    this.#parts.signal?.removeEventListener("abort", this.#onAbort);
    await this.#last.catch(() => undefined);
    await this.#parts.release();
  }

  readonly #onAbort = (): void => {
    const cause = this.#parts.signal?.reason;
    void this.fail(new VarveError("ABORTED", "the watch was aborted", { cause }));
  };

  async #next(): Promise<IteratorResult<WatchEvent, undefined>> {
    try {
      const event = this.#ended ? undefined : await this.#nextEvent();
      if (event !== undefined) return { done: false, value: event };
    } catch (error) {
      this.#ended = true;
      this.#failure = undefined;
      // Not awaited: it waits for this very call.
      void this.#end();
      throw error;
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    return END;
  }

  /** `undefined` once the watch has ended. */
  async #nextEvent(): Promise<WatchEvent | undefined> {
    const { follower, clock, heartbeatMs, visible, failure } = this.#parts;
    if (!this.#begun) {
      this.#begun = true;
      return this.#tell({ type: "progress", sequence: follower.sequence });
    }
    const deadlineMs = this.#toldMs + heartbeatMs;
    while (!this.#ended) {
      const followed = follower.advance(visible());
      if (followed === FOLLOWED.BATCH && follower.event !== undefined) {
        return this.#tell(follower.event);
      }
      if (followed === FOLLOWED.BLOCKED) await follower.load();
      else if (clock.monotonicMs() >= deadlineMs) {
        return this.#tell({ type: "progress", sequence: follower.sequence });
      } else if (followed === FOLLOWED.END) {
        const failed = failure();
        if (failed !== undefined) throw failed;
        await this.#changed(deadlineMs - clock.monotonicMs());
      }
    }
    return undefined;
  }

  #tell(event: WatchEvent): WatchEvent {
    this.#toldMs = this.#parts.clock.monotonicMs();
    return this.#parts.keys.fromStoredEvent(event);
  }

  /** Resolves when there may be something new, or the time is up. */
  #changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#parts.clock.setTimer(ms, () => this.wake(), true);
      this.#wakeUp = () => {
        timer.cancel();
        this.#wakeUp = undefined;
        resolve();
      };
    });
  }
}
