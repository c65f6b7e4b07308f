/**
 * Plans that are carried out at the same time, and end in any order, never get in one another's way: what
 * one adds fits the tree that the others left, and every key's newest version stays the first that is found.
 */
import { expect, test } from "vitest";
import { LAST_LEVEL } from "../../../src/compaction/targets.ts";
import { Random, seeds } from "../../support/random.ts";
import { simulationKey, TreeSimulation } from "../../support/tree-simulation.ts";

const KEYS = 400;
const STEPS = 200;

const SETTINGS = {
  levelBytes: 1024,
  levelMultiplier: 2,
  tableBytes: 1024,
  level0CompactAt: 2,
  codecs: ["none"] as const,
};

function someKeys(random: Random): string[] {
  // Often neighbours, as programs write them; sometimes from anywhere.
  const from = random.below(KEYS);
  const span = random.chance(10) ? KEYS : 1 + random.below(6);
  const count = 1 + random.below(8);
  const keys = Array.from({ length: count }, () => (from + random.below(span)) % KEYS);
  return [...new Set(keys)].map(simulationKey);
}

function someRange(random: Random): [string | undefined, string | undefined] {
  const bounds = [random.below(KEYS), random.below(KEYS)].sort((a, b) => a - b);
  const [gte, lte] = bounds.map((bound) => (random.chance(20) ? undefined : simulationKey(bound)));
  return [gte, lte];
}

function expectWhole(tree: TreeSimulation): void {
  for (const [key, sequence] of tree.newest) expect(tree.find(key), key).toBe(sequence);
}

test.each(seeds(40))("plans of up to four threads never collide (seed %i)", (seed) => {
  const random = new Random(seed);
  const tree = new TreeSimulation(random, SETTINGS);
  for (let step = 0; step < STEPS; step++) {
    const choice = random.below(10);
    if (choice < 3) tree.flush(someKeys(random));
    else if (choice < 6 && tree.running.length < 4) tree.startDue();
    else if (choice < 7) tree.startRange(...someRange(random));
    else if (choice < 9) tree.finishOne();
    if (random.chance(2)) tree.reopen({ ...SETTINGS, levelBytes: 1024 * 2 ** random.below(5) });
    if (step % 20 === 0) expectWhole(tree);
  }
  expectWhole(tree);
});

test.each(seeds(20))(
  "what is due comes to an end, and then the tree is in shape (seed %i)",
  (seed) => {
    const random = new Random(seed);
    const tree = new TreeSimulation(random, SETTINGS);
    for (let i = 0; i < 40; i++) tree.flush(someKeys(random));
    let plans = 0;
    while (tree.startDue() || tree.running.length > 0) {
      if (tree.running.length === 0) continue;
      tree.finishOne();
      expect(++plans).toBeLessThan(500);
    }
    expect(tree.version.level0.length).toBeLessThan(SETTINGS.level0CompactAt);
    expectWhole(tree);
  },
);

test.each(seeds(20))("a range comes down to the last level, all of it (seed %i)", (seed) => {
  const random = new Random(seed);
  const tree = new TreeSimulation(random, SETTINGS);
  for (let i = 0; i < 40; i++) {
    tree.flush(someKeys(random));
    if (random.chance(50)) tree.startDue();
    if (random.chance(50)) tree.finishOne();
  }
  const range = someRange(random);
  let plans = 0;
  for (let said = tree.startRange(...range); said !== "done"; said = tree.startRange(...range)) {
    expect(said === "wait" ? tree.running.length : 1).toBeGreaterThan(0);
    tree.finishOne();
    expect(++plans).toBeLessThan(500);
  }
  const [gte, lte] = range.map((key) => (key === undefined ? undefined : Buffer.from(key)));
  for (let level = 0; level < LAST_LEVEL; level++) {
    expect(tree.version.overlapping(level, gte, lte), `level ${level}`).toEqual([]);
  }
  expectWhole(tree);
});
