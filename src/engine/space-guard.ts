/**
 * Keeps a reserve free on the volume: below it puts are refused before anything is touched, so that a full
 * disk never meets a log or a manifest half-way, and deletes and compaction have room to work in. Writes
 * resume by themselves when space is back. What can be spared of what is on the disk goes first.
 *
 * The volume is asked at most once in `CHECK_MS`, in the background, when there are writes; while space is
 * low, also without them. The reserve has to cover what can be written in between.
 */
import { VarveError } from "../errors.ts";
import type { Clock, Timer } from "../fs/clock.ts";
import type { FileSystem } from "../fs/file-system.ts";
import type { Logger } from "./open-options.ts";

const CHECK_MS = 500;

export interface SpaceGuardOptions {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 never refuses. */
  readonly reserveBytes: number;
  /** Gives up what is kept though nothing that was promised needs it, about so many bytes; resolves to how many. */
  readonly spare: (bytes: number) => Promise<number>;
  /** Called when space is back. */
  readonly onSpace: () => void;
}

export class SpaceGuard {
  refused = 0;
  readonly #options: SpaceGuardOptions;
  #isLow = false;
  #freeBytes = Number.POSITIVE_INFINITY;
  #nextCheckMs = 0;
  #checking = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: SpaceGuardOptions) {
    this.#options = options;
  }

  get isLow(): boolean {
    return this.#isLow;
  }

  /** When the volume was asked last; `null` where it never was. */
  get freeBytes(): number | null {
    return this.#freeBytes === Number.POSITIVE_INFINITY ? null : this.#freeBytes;
  }

  /** Asks the volume; for the first time at open, before any write. */
  async check(): Promise<void> {
    const { fs, directory, reserveBytes, logger, clock, onSpace } = this.#options;
    if (reserveBytes === 0 || this.#checking || this.#closed) return;
    this.#checking = true;
    try {
      this.#freeBytes = await fs.freeBytes(directory);
      if (await this.#sparedSome()) this.#freeBytes = await fs.freeBytes(directory);
    } catch (error) {
      logger.warn({ err: error }, "free space could not be read, or made");
    }
    this.#checking = false;
    if (this.#closed) return;
    this.#nextCheckMs = clock.monotonicMs() + CHECK_MS;
    const wasLow = this.#isLow;
    this.#isLow = this.#freeBytes < reserveBytes;
    const fields = { freeBytes: this.#freeBytes, reserveBytes };
    if (this.#isLow && !wasLow) logger.warn(fields, "space is low: puts are refused");
    if (this.#isLow) this.#timer = clock.setTimer(CHECK_MS, () => void this.check());
    else if (wasLow) {
      logger.info(fields, "space is back: puts are taken again");
      onSpace();
    }
  }

  /** Where space is low, whether some of it came back. */
  async #sparedSome(): Promise<boolean> {
    const { reserveBytes, spare, logger } = this.#options;
    const missing = reserveBytes - this.#freeBytes;
    if (missing <= 0 || this.#closed) return false;
    const spared = await spare(missing);
    if (spared > 0) logger.warn({ spared }, "space is low: log that was kept for feeds is gone");
    return spared > 0;
  }

  /** Throws `NO_SPACE` where a put must not be taken. */
  assertSpace(): void {
    if (this.#options.reserveBytes === 0) return;
    if (!this.#isLow && this.#options.clock.monotonicMs() >= this.#nextCheckMs) void this.check();
    if (!this.#isLow) return;
    this.refused++;
    const { directory, reserveBytes } = this.#options;
    const message = `${directory} has ${this.#freeBytes} bytes free, less than the reserve of ${reserveBytes}; delete data or make room, then try again`;
    throw new VarveError("NO_SPACE", message, { retryAfterMs: CHECK_MS });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }
}
