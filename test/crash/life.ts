/**
 * One life of the process that has the database open: its disk, its clock, and the order in which file
 * operations and steps of background work happen, all by seed. It ends when the process is killed or the
 * power fails at a chosen file operation; what the engine does from then on happens to nobody.
 */
import { Database } from "../../src/engine/database.ts";
import { InlineBackground } from "../../src/engine/inline-background.ts";
import type { Settings } from "../../src/options.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryFileSystem, type MemoryFileSystemOptions } from "../support/memory-file-system.ts";
import { Random } from "../support/random.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";

export const DIRECTORY = "/db";

/** The disk that a life finds, made with the options that let the life order its operations. */
export type DiskMaker = (options: MemoryFileSystemOptions) => MemoryFileSystem;

export const emptyDisk: DiskMaker = (options) => new MemoryFileSystem(options);

/** A life in which this much time passes with nothing to do is stuck. */
const IDLE_MS_MAX = 60_000;
const IDLE_STEP_MS = 20;

/** What `Life.run` returns where the life has ended first. */
export const ENDED = Symbol("ended");

export class Life {
  readonly disk: MemoryFileSystem;
  readonly clock = new ManualClock();
  readonly random: Random;
  readonly #waiting: (() => void)[] = [];

  constructor(seed: number, makeDisk: DiskMaker) {
    this.random = new Random(seed);
    this.disk = makeDisk({
      schedule: () => new Promise((resolve) => this.#waiting.push(resolve)),
    });
  }

  get ended(): boolean {
    return this.disk.crashed;
  }

  /** The life ends at its file operation of this number, counting from 1, which may have taken effect or not. */
  endAt(operation: number): void {
    this.disk.onOperation = (kind, path) => {
      if (this.disk.operations === operation) throw new Error(`the end, at ${kind} ${path}`);
    };
  }

  open(settings: Partial<Settings> = {}): Promise<Database | typeof ENDED> {
    const background = new InlineBackground(this.disk.sync, (step) => this.#waiting.push(step));
    const { disk: fs, clock } = this;
    const options = { ...TINY_SETTINGS, ...settings, fs, clock, background };
    return this.run(Database.open(DIRECTORY, options));
  }

  /** Lets things happen until the promise is settled. */
  async run<Result>(promise: Promise<Result>): Promise<Result | typeof ENDED> {
    let isSettled = false;
    const settled = () => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await microtasks();
    let idleMs = 0;
    while (!isSettled && !this.ended) {
      if (await this.turn()) idleMs = 0;
      else {
        idleMs += IDLE_STEP_MS;
        if (idleMs > IDLE_MS_MAX) throw new Error("nothing happens any more");
        this.clock.advance(IDLE_STEP_MS);
        await microtasks();
      }
    }
    if (this.ended) return ENDED;
    return promise;
  }

  /** Lets one of the things happen that can, and all that follows from it at once; false where there is none. */
  async turn(): Promise<boolean> {
    const { length } = this.#waiting;
    if (length === 0 || this.ended) return false;
    const [next] = this.#waiting.splice(this.random.below(length), 1);
    next?.();
    await microtasks();
    return true;
  }
}

/** Resolves when nothing is left that could go on by itself. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
