/**
 * Short runs, ended at each of their file operations: whatever a loss of power or the process's death leaves
 * there, the database opens, with all in it that was promised. `SEED=n npx vitest run test/crash` replays
 * run n.
 */
import assert from "node:assert";
import { expect, test } from "vitest";
import { seeds } from "../support/random.ts";
import { History, type Loss } from "./history.ts";
import { ENDED, emptyDisk, Life } from "./life.ts";
import { checkFiles, recover, remains } from "./recovery.ts";
import { Workload } from "./workload.ts";

const ACTIONS = 95;
const POWER_LOSSES = 1;
const RUNS = seeds(1);
/** Tests, so that none takes long. */
const PARTS = 8;

interface Run {
  readonly life: Life;
  readonly history: History;
  readonly levels: number[];
}

/** From the first file operation on, with the making of the database. */
async function run(seed: number, endAt: number): Promise<Run> {
  const life = new Life(seed, emptyDisk);
  const history = new History(seed % 2 === 0);
  life.endAt(endAt);
  const db = await life.open();
  if (db === ENDED) return { life, history, levels: [] };
  await new Workload(life, db, history).run(ACTIONS);
  const levels = db.stats().levels.filter(({ files }) => files > 0);
  if ((await life.run(db.close())) !== ENDED) history.settleAll();
  return { life, history, levels: levels.map(({ level }) => level) };
}

async function survives({ life, history }: Run, loss: Loss, seed: number): Promise<void> {
  const next = new Life(seed, remains(life.disk, loss, seed));
  const recovered = await recover(next, history, loss);
  assert(recovered !== ENDED);
  await next.run(recovered.db.close());
  await checkFiles(next);
}

const parts = RUNS.flatMap((seed) => Array.from({ length: PARTS }, (_, part) => ({ seed, part })));

test.each(parts)("each operation may be the last (seed $seed, part $part)", async (given) => {
  const { seed, part } = given;
  const whole = await run(seed, Number.POSITIVE_INFINITY);
  expect(Math.max(...whole.levels), "the run reaches the deeper levels").toBeGreaterThanOrEqual(2);
  expect(whole.levels.length).toBeGreaterThanOrEqual(2);
  for (let at = 1 + part; at <= whole.life.disk.operations; at += PARTS) {
    const ended = await run(seed, at);
    assert(ended.life.ended);
    for (let image = 1; image <= POWER_LOSSES; image++) {
      await naming(`seed ${seed}, ended at ${at}, power loss ${image}`, () =>
        survives(ended, "power", at * 10 + image),
      );
    }
    await naming(`seed ${seed}, ended at ${at}, killed`, () => survives(ended, "process", at * 10));
  }
});

async function naming(where: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (cause) {
    throw new Error(`${where}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
