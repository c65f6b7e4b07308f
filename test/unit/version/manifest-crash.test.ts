/** The manifest under loss of power: the state before the operation under way or after it, never an older one. */
import { expect, test } from "vitest";
import {
  ChangingTree,
  manifestDisk,
  readSummary,
  summaryOf,
} from "../../support/manifest-fixture.ts";
import type { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { Random, seeds } from "../../support/random.ts";

const POWER_LOST = "power lost";
const IMAGES = 6;

/** The disk loses power at the operation after so many. */
function losePowerAfter(disk: MemoryFileSystem, operations: number): void {
  let left = operations;
  disk.onOperation = () => {
    if (--left < 0) throw new Error(POWER_LOST);
  };
}

/** Whether `action` came to its end before the power was lost. */
async function endsBeforeLoss(
  disk: MemoryFileSystem,
  action: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    if (!disk.crashed) throw error;
    return false;
  }
}

/** Some states that the disk may be in, the process dead alone among them. */
function imagesOf(disk: MemoryFileSystem, seed: number): MemoryFileSystem[] {
  const lost = Array.from({ length: IMAGES }, (_, i) => disk.crashImage(seed * IMAGES + i));
  return [disk.killImage(), ...lost];
}

test.each(seeds(20))(
  "an append is there or is not, whenever power is lost (seed %i)",
  async (seed) => {
    const appends = 1 + (seed % 5);
    for (let operations = 0; ; operations++) {
      const disk = await manifestDisk();
      const tree = new ChangingTree(seed);
      const manifest = await tree.create(disk, 2 ** 40);
      for (let i = 0; i < appends; i++) await tree.append(manifest);
      const { edit, next } = tree.next();
      losePowerAfter(disk, operations);
      const done = await endsBeforeLoss(disk, () => manifest.append(edit, next));
      const allowed = done ? [summaryOf(next)] : [summaryOf(tree.state), summaryOf(next)];
      for (const image of imagesOf(disk, seed)) expect(allowed).toContain(await readSummary(image));
      if (done) break;
    }
  },
);

test.each(seeds(20))(
  "a roll-over is done or is not, whenever power is lost (seed %i)",
  async (seed) => {
    let losses = 0;
    const seen = new Set<boolean>();
    for (; ; losses++) {
      const disk = await manifestDisk();
      const tree = new ChangingTree(seed);
      // Over its limit from the start, so that every append begins another.
      const manifest = await tree.create(disk, 1);
      for (let i = 0; i < seed % 4; i++) await tree.append(manifest);
      const { edit, next } = tree.next();
      losePowerAfter(disk, losses);
      const done = await endsBeforeLoss(disk, () => manifest.append(edit, next));
      const [before, after] = [summaryOf(tree.state), summaryOf(next)];
      for (const image of imagesOf(disk, seed + losses)) {
        const found = await readSummary(image);
        expect(done ? [after] : [before, after]).toContain(found);
        seen.add(found === after);
      }
      if (done) break;
    }
    // Records, syncs, directory, CURRENT's file, its rename, and the old one's removal.
    expect(losses).toBeGreaterThanOrEqual(11);
    expect(seen).toEqual(new Set([false, true]));
  },
);

test.each(seeds(10))("a first manifest is there whole or not at all (seed %i)", async (seed) => {
  for (let operations = 0; ; operations++) {
    const disk = await manifestDisk();
    const tree = new ChangingTree(seed);
    losePowerAfter(disk, operations);
    const done = await endsBeforeLoss(disk, () => tree.create(disk, 2 ** 40));
    const allowed = done ? [summaryOf(tree.state)] : [undefined, summaryOf(tree.state)];
    for (const image of imagesOf(disk, seed)) expect(allowed).toContain(await readSummary(image));
    if (done) break;
  }
});

test.each(seeds(60))("crash after crash, no acknowledged edit is lost (seed %i)", async (seed) => {
  const random = new Random(seed);
  let disk = await manifestDisk();
  const tree = new ChangingTree(seed);
  /** What the disk may say: all that could have become durable since the last state that surely is. */
  let allowed: (string | undefined)[] = [undefined, summaryOf(tree.state)];
  for (let life = 0; life < 5; life++) {
    let { state } = tree;
    losePowerAfter(disk, random.below(60));
    await endsBeforeLoss(disk, async () => {
      const manifest = await tree.create(disk, random.pick([1, 1000, 2 ** 40]));
      for (;;) {
        allowed = [summaryOf(tree.state)];
        const { edit, next } = tree.next();
        state = next;
        allowed.push(summaryOf(next));
        await manifest.append(edit, next);
        tree.state = next;
      }
    });
    const isKilled = random.chance(20);
    disk = isKilled ? disk.killImage() : disk.crashImage(random.next());
    const found = await readSummary(disk);
    expect(allowed).toContain(found);
    if (found === summaryOf(state)) tree.state = state;
    // What a dead process had written is there, but may still be lost with power.
    allowed = isKilled ? [...allowed, found] : [found];
    allowed.push(summaryOf(tree.state));
  }
});
