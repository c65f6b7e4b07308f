/** The log alone under loss of power: what was acknowledged is read back, in order, with no gap. */
import { expect, test } from "vitest";
import type { Log } from "../../../src/log/log.ts";
import { append, LOG_DIRECTORY, openLog, readBack } from "../../support/log-fixture.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { Random, seeds } from "../../support/random.ts";

const SEGMENT_BYTES = 2048;
const POWER_LOST = "power lost";

async function emptyDisk(): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  await disk.makeDirectory(LOG_DIRECTORY);
  await disk.syncDirectory("/");
  return disk;
}

function losePowerAfter(disk: MemoryFileSystem, operations: number): void {
  let left = operations;
  disk.onOperation = () => {
    if (--left < 0) throw new Error(POWER_LOST);
  };
}

/** What a run knows: ids from 1 on were appended, and are durable up to one of them. */
class Run {
  appended = 0;
  durable = 0;
  firstNeeded = 0;
  /** The last id in the segments before `firstNeeded`. */
  dropped = 0;

  async step(log: Log, random: Random): Promise<void> {
    const kind = random.below(20);
    if (kind === 0) await this.#rotate(log, random.chance(50));
    else if (kind === 1) {
      await log.sync();
      this.durable = this.appended;
    } else if (kind === 2) {
      await log.markSynced();
      this.durable = this.appended;
    } else {
      const sync = random.chance(50);
      const bytes = 4 + random.below(random.chance(10) ? 3000 : 200);
      await append(log, ++this.appended, bytes, sync);
      if (sync) this.durable = this.appended;
    }
  }

  async #rotate(log: Log, retire: boolean): Promise<void> {
    const last = this.appended;
    const number = await log.rotate();
    this.durable = last;
    if (!retire) return;
    this.firstNeeded = number;
    this.dropped = last;
    await log.retire(number);
  }

  /** All that is durable, perhaps more, nothing else. */
  check(ids: readonly number[]): void {
    const last = this.dropped + ids.length;
    expect(ids).toEqual(ids.map((_, i) => this.dropped + 1 + i));
    expect(last).toBeGreaterThanOrEqual(this.durable);
    expect(last).toBeLessThanOrEqual(this.appended);
  }
}

test.each(seeds(300))("durable records survive crash after crash (seed %i)", async (seed) => {
  const random = new Random(seed);
  let disk = await emptyDisk();
  const run = new Run();
  for (let life = 0; life < 4; life++) {
    losePowerAfter(disk, random.below(120));
    try {
      const content = await readBack(disk, run.firstNeeded);
      run.check(content.ids);
      // What was found is durable from now on, since recovery has synced it; what was not is gone.
      run.appended = run.dropped + content.ids.length;
      run.durable = run.appended;
      const log = await openLog(disk, SEGMENT_BYTES, content.last);
      for (;;) await run.step(log, random);
    } catch (error) {
      if (!disk.crashed) throw error;
    }
    disk = random.chance(20) ? disk.killImage() : disk.crashImage(random.next());
  }
  run.check((await readBack(disk, run.firstNeeded)).ids);
});

test.each(seeds(10))(
  "recovery may crash at any operation and run again (seed %i)",
  async (seed) => {
    const random = new Random(seed);
    const disk = await emptyDisk();
    const run = new Run();
    const log = await openLog(disk, SEGMENT_BYTES);
    for (let i = 0; i < 30; i++) await run.step(log, random);
    for (let operations = 0; ; operations++) {
      const image = disk.crashImage(seed);
      losePowerAfter(image, operations);
      const recovered = await readBack(image, run.firstNeeded)
        .then(async (content) => {
          await openLog(image, SEGMENT_BYTES, content.last);
          return true;
        })
        .catch((error: unknown) => {
          if (!image.crashed) throw error;
          return false;
        });
      run.check((await readBack(image.crashImage(seed + operations), run.firstNeeded)).ids);
      if (recovered) break;
    }
  },
);
