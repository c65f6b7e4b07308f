/**
 * Engines that are broken on purpose, on a disk that loses power: the checker of histories finds each of them
 * out, and has nothing to say against the one that is not broken. `SEED=n npx vitest run test/crash/broken*`
 * replays seed n.
 */
import { expect, test } from "vitest";
import { Database } from "../../src/engine/database.ts";
import type { Settings } from "../../src/options.ts";
import type { Store } from "../../src/store.ts";
import { ALL_KEYS } from "../../torture/entries.ts";
import { Ledger } from "../../torture/ledger.ts";
import { Load } from "../../torture/load.ts";
import { nowUs, Observer } from "../../torture/observer.ts";
import { EarlyStore } from "../support/early-store.ts";
import {
  MemoryFileSystem,
  type MemoryFileSystemOptions,
  type OperationKind,
} from "../support/memory-file-system.ts";
import { Random, seeds } from "../support/random.ts";

const CLIENTS = 2;
const IN_FLIGHT = 4;
const TURNS_MAX = 300;

/** The engine's parts, each of which a test may break. */
interface Engine {
  readonly makeDisk: (options: MemoryFileSystemOptions) => MemoryFileSystem;
  readonly settings: Partial<Settings>;
  readonly wrap: (database: Database) => Store;
}

const sound: Engine = {
  makeDisk: (options) => new MemoryFileSystem(options),
  settings: {},
  wrap: (database) => database,
};

/** Whoever asks for nothing less is promised durability. */
const answersEarly: Engine = { ...sound, settings: { durability: "none" } };

const showsEarly: Engine = { ...sound, wrap: (database) => new EarlyStore(database) };

/** Its disk says of every log that it is safe, and does nothing for it. */
const deceived: Engine = { ...sound, makeDisk: (options) => new DeceivingFileSystem(options) };

class DeceivingFileSystem extends MemoryFileSystem {
  override perform<Result>(
    kind: OperationKind,
    path: string,
    apply: () => Result,
    settle?: () => void,
  ): Result {
    const deceives = path.endsWith(".log") && (kind === "sync" || kind === "writeSynced");
    return super.perform(kind, path, apply, deceives ? undefined : settle);
  }
}

/** Clients at work until power fails, and what is there after it; throws where no register explains it. */
async function livePowerLoss({ makeDisk, settings, wrap }: Engine, seed: number): Promise<Ledger> {
  const random = new Random(seed);
  const disk = makeDisk({ schedule: () => new Promise((resolve) => setImmediate(resolve)) });
  const store = wrap(await Database.open("/db", { ...settings, fs: disk, background: "inline" }));
  const observers = Array.from({ length: CLIENTS }, (_, i) => new Observer(`client${i}`));
  const loads = observers.map((one, i) => new Load(store, one, `${i}`, random.next()));
  const running = loads.map((load) => load.run(IN_FLIGHT));
  for (let turn = random.below(TURNS_MAX); turn >= 0; turn--) await new Promise(setImmediate);
  disk.crash();
  await Promise.all(running);
  // That calls fail on a disk that is gone is no fault of the engine.
  const observed = observers.map((one) => ({ ...one.take(), violations: [] }));
  const endedAt = nowUs();

  const again = await Database.open("/db", { fs: disk.crashImage(seed), background: "inline" });
  const verifier = new Observer("verifier");
  await verifier.scan(again);
  await verifier.getMany(again, ALL_KEYS);
  await again.close();
  const ledger = new Ledger();
  ledger.add([...observed, verifier.take()], endedAt);
  return ledger;
}

test.each(seeds(10))("an engine that is sound is not suspected (seed %i)", async (seed) => {
  const { operations } = await livePowerLoss(sound, seed);
  expect(operations).toBeGreaterThan(0);
});

test.each<[what: string, engine: Engine, caught: RegExp]>([
  ["an engine that answers before it syncs", answersEarly, /nothing explains verifier get/],
  ["an engine that shows what it has not logged", showsEarly, /nothing explains .* get/],
  ["an engine whose disk deceives it", deceived, /damaged record; the record at .* on the disk/],
])("%s is caught before long", async (_what, engine, caught) => {
  const verdicts: string[] = [];
  for (const seed of seeds(20)) {
    await livePowerLoss(engine, seed).catch((error: Error) => verdicts.push(error.message));
    if (verdicts.length > 0) break;
  }
  expect(verdicts[0]).toMatch(caught);
});
