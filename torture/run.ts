/** The order of the rounds, what is said of them, and what is kept of a failure. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type FuzzScale, fuzzRound } from "./fuzz-round.ts";
import { killRound, lastRound } from "./kill-round.ts";
import { TortureFailure } from "./ledger.ts";
import type { Rig } from "./rig.ts";

/** A hundred thousand frames, five thousand connections and four thousand scans. */
const FUZZ: FuzzScale = {
  passes: 4,
  frames: 25_000,
  connections: 1250,
  scans: 1000,
  peers: 10,
  slowPeers: 10,
};
/** Of the time, before the first hostile peers come, and at most before each time they come. */
const KILL_SHARE = 1 / 3;
const KILL_MS_MAX = 150_000;
/** A round that takes longer hangs. */
const ROUND_MS_MAX = 600_000;
const EVIDENCE_SHOWN = 12;

const number = (count: number): string => count.toLocaleString("en-US");

export class Torture {
  readonly #rig: Rig;
  readonly #seed: number;
  readonly #say: (line: string) => void;
  #round = 0;
  #crashes = 0;
  #frames = 0;

  constructor(rig: Rig, seed: number, say: (line: string) => void) {
    this.#rig = rig;
    this.#seed = seed;
    this.#say = say;
  }

  /** Goes on for so long, and to the end of the phase that it is in; false where something failed. */
  async run(ms: number): Promise<boolean> {
    const endMs = performance.now() + ms;
    const killMs = Math.min(ms * KILL_SHARE, KILL_MS_MAX);
    try {
      do {
        await this.#killPhase(Math.min(performance.now() + killMs, endMs));
        if (this.#frames === 0 || performance.now() < endMs) await this.#fuzzPhase();
      } while (performance.now() < endMs);
      await inTime(lastRound(this.#rig));
    } catch (error) {
      this.#fail(error);
      return false;
    }
    this.#sayCounts();
    return true;
  }

  async #killPhase(endMs: number): Promise<void> {
    const { ledger } = this.#rig;
    const { operations, acknowledgedWrites } = ledger;
    const [rounds, crashes] = [this.#round, this.#crashes];
    do {
      this.#crashes += await inTime(killRound(this.#rig, this.#round));
      this.#round++;
    } while (performance.now() < endMs);
    this.#say(
      `kills: ${this.#round - rounds} rounds, ${this.#crashes - crashes} crashes, ` +
        `${number(ledger.acknowledgedWrites - acknowledgedWrites)} acknowledged writes, ` +
        `${number(ledger.operations - operations)} calls checked`,
    );
  }

  async #fuzzPhase(): Promise<void> {
    const { frames, before, after } = await inTime(fuzzRound(this.#rig, this.#round, FUZZ));
    this.#frames += frames;
    this.#round++;
    this.#say(
      `hostile peers: ${number(frames)} frames; before and after them ` +
        `${before.connections} and ${after.connections} connections, ` +
        `${before.openScans} and ${after.openScans} scans, ` +
        `${before.files} and ${after.files} files, ` +
        `${after.residentMiB} MiB resident and growing no more`,
    );
  }

  #sayCounts(): void {
    const { histories, operations, acknowledgedWrites, refused } = this.#rig.ledger;
    this.#say(
      [
        `crashes survived             ${number(this.#crashes)}`,
        `acknowledged writes checked  ${number(acknowledgedWrites)}`,
        `frames fuzzed                ${number(this.#frames)}`,
        `histories checked            ${number(histories)}, of ${number(operations)} operations`,
        `calls put off by the server  ${number(refused)}`,
        "All is as promised.",
      ].join("\n"),
    );
  }

  #fail(error: unknown): void {
    this.#rig.keepDirectory();
    const evidence = error instanceof TortureFailure ? error.evidence : [];
    const message = error instanceof TortureFailure ? error.message : describe(error);
    const head = [`FAILED in round ${this.#round} of seed ${this.#seed}: ${message}`];
    const file = join(this.#rig.directory, "evidence.txt");
    writeFileSync(file, [...head, ...evidence, ""].join("\n"));
    this.#say([...head, ...evidence.slice(-EVIDENCE_SHOWN)].join("\n  "));
    this.#say(`kept: ${this.#rig.data}, and all evidence in ${file}`);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function inTime<Result>(round: Promise<Result>): Promise<Result> {
  const late = new AbortController();
  const hangs = async () => {
    await delay(ROUND_MS_MAX, undefined, { signal: late.signal });
    throw new TortureFailure(`a round hangs: it has not ended after ${ROUND_MS_MAX} ms`, []);
  };
  try {
    return await Promise.race([round, hangs()]);
  } finally {
    late.abort();
  }
}
