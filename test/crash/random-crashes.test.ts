/**
 * Several lives of one database by seed: each recovers, which may itself be cut short up to three times in a
 * row, then writes on until it ends at some file operation, or is closed. `SEED=n npx vitest run test/crash`
 * replays seed n.
 */
import { test } from "vitest";
import { Random, seeds } from "../support/random.ts";
import { History, type Loss } from "./history.ts";
import { type DiskMaker, ENDED, emptyDisk, Life } from "./life.ts";
import { checkFiles, type Recovered, recover, remains } from "./recovery.ts";
import { Workload } from "./workload.ts";

const SEEDS = 320;
const LIVES = 3;
const ACTIONS_MAX = 250;
const CUT_SHORT_MAX = 3;
/** More than a recovery takes, with the reading of everything. */
const RECOVERY_OPERATIONS = 120;
const LIFE_OPERATIONS = 1500;

class Lives {
  readonly #random: Random;
  readonly #history: History;
  #disk: DiskMaker = emptyDisk;
  #loss: Loss = "power";

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#history = new History(seed % 2 === 0);
  }

  async live(): Promise<void> {
    const { life, recovered } = await this.#begin();
    if (this.#random.chance(80)) {
      life.endAt(life.disk.operations + 1 + this.#random.below(LIFE_OPERATIONS));
    }
    await new Workload(life, recovered.db, this.#history).run(this.#random.below(ACTIONS_MAX));
    if (!life.ended && this.#random.chance(50)) {
      if ((await life.run(recovered.db.close())) !== ENDED) this.#history.settleAll();
    }
    life.disk.crash();
    this.#end(life);
  }

  async check(): Promise<void> {
    const { life, recovered } = await this.#begin();
    await life.run(recovered.db.close());
    await checkFiles(life);
  }

  /** A life whose recovery succeeds, after some whose recovery is cut short. */
  async #begin(): Promise<{ life: Life; recovered: Recovered }> {
    for (let cutShort = 0; ; cutShort++) {
      const life = new Life(this.#random.next(), this.#disk);
      if (cutShort < CUT_SHORT_MAX && this.#random.chance(60)) {
        life.endAt(1 + this.#random.below(RECOVERY_OPERATIONS));
      }
      const recovered = await recover(life, this.#history, this.#loss);
      if (recovered !== ENDED) {
        life.endAt(Number.POSITIVE_INFINITY);
        this.#history.continueFrom(recovered.sequence);
        return { life, recovered };
      }
      this.#end(life);
    }
  }

  #end(life: Life): void {
    this.#loss = this.#random.chance(70) ? "power" : "process";
    if (this.#loss === "power") this.#history.powerLost();
    this.#disk = remains(life.disk, this.#loss, this.#random.next());
  }
}

test.each(seeds(SEEDS))("what was promised survives life after life (seed %i)", async (seed) => {
  const lives = new Lives(seed);
  for (let i = 0; i < LIVES; i++) await lives.live();
  await lives.check();
});
