/** Gives up log segments when nothing needs them: after a flush, and where only feeds keep them, in time. */
import type { Clock, Timer } from "../fs/clock.ts";
import type { Log } from "../log/log.ts";
import type { Logger } from "./open-options.ts";

/** Timers take no longer delays; one that ends early does no harm. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** Where the clock was set back while a timer ran. */
const TIMER_MS_MIN = 100;

export class LogRetirement {
  readonly #log: Pick<Log, "retire" | "nextRetireMs">;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #floor: number;
  #timer: Timer | undefined;
  #closed = false;

  constructor(log: Pick<Log, "retire" | "nextRetireMs">, clock: Clock, logger: Logger) {
    this.#log = log;
    this.#clock = clock;
    this.#logger = logger;
    this.#floor = 0;
  }

  /** Recovery needs no segment below `floor` any more. Resolves when the files are dealt with; throws where they could not be. */
  async retire(floor: number): Promise<void> {
    this.#floor = floor;
    try {
      await this.#log.retire(floor);
    } finally {
      this.#setTimer();
    }
  }

  /** `retire`, where nobody waits. */
  retireLater(floor: number): void {
    this.retire(floor).catch((error: unknown) => {
      this.#logger.warn({ err: error }, "log segments could not be given up");
    });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #setTimer(): void {
    this.#timer?.cancel();
    const { nextRetireMs } = this.#log;
    if (nextRetireMs === undefined || this.#closed) return;
    const ms = Math.max(TIMER_MS_MIN, Math.min(nextRetireMs - this.#clock.now(), TIMER_MS_MAX));
    this.#timer = this.#clock.setTimer(ms, () => this.retireLater(this.#floor));
  }
}
