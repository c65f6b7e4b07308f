/** The torture in short, and that it finds what it is there to find. */
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fuzzRound } from "../../torture/fuzz-round.ts";
import { killRound, lastRound } from "../../torture/kill-round.ts";
import { Rig, type RigOptions } from "../../torture/rig.ts";
import { Torture } from "../../torture/run.ts";

const BROKEN_SERVER = join(import.meta.dirname, "..", "support", "broken-server.ts");
const ROUNDS = 2;
/** In which a broken server has many more kills than it survives. */
const LONG_MS = 60_000;
const SEED = Number(process.env.SEED ?? 1);

function makeRig(options: Partial<RigOptions> = {}): Rig {
  const rig = new Rig({ seed: SEED, clients: 2, ...options });
  onTestFinished(() => rig[Symbol.asyncDispose]());
  return rig;
}

test(`what was promised holds over kills of the process, and hostile peers change nothing (seed ${SEED})`, async () => {
  const rig = makeRig();
  for (let round = 0; round < ROUNDS; round++) await killRound(rig, round);
  const scale = { passes: 1, frames: 400, connections: 40, scans: 60, peers: 2, slowPeers: 0 };
  await fuzzRound(rig, ROUNDS, scale);
  await lastRound(rig);
  expect(rig.ledger.acknowledgedWrites).toBeGreaterThan(100);
  expect(rig.ledger.operations).toBeGreaterThan(rig.ledger.acknowledgedWrites);
});

test.each(["answers-early", "shows-early"])(
  "a server that %s is caught, and the evidence is kept",
  async (broken) => {
    const rig = makeRig({ program: [BROKEN_SERVER, "--broken", broken] });
    onTestFinished(() => rm(rig.directory, { recursive: true, force: true }));
    const lines: string[] = [];
    const isGood = await new Torture(rig, SEED, (line) => lines.push(line)).run(LONG_MS);
    expect(isGood).toBe(false);
    const caught = /FAILED in round \d+ of seed \d+: .*(nothing explains|was given out before)/;
    expect(lines.join("\n")).toMatch(caught);
    expect(await readFile(join(rig.directory, "evidence.txt"), "utf8")).toMatch(caught);
    expect(await readdir(rig.data)).toContain("CURRENT");
  },
);

test("the same server, not broken, is not", async () => {
  const rig = makeRig({ program: [BROKEN_SERVER, "--broken", "no"] });
  await killRound(rig, 0);
  await lastRound(rig);
});
