/**
 * `npm run torture -- [--minutes N] [--seed S]`: kills servers under load, round after round, with rounds of
 * hostile peers between, until the time is over. Exits with 1, and keeps the directory with the evidence, at
 * the first thing that is not as promised.
 */
import { randomInt } from "node:crypto";
import { Command, InvalidArgumentError } from "commander";
import { say } from "../bench/demo/screen.ts";
import { Rig } from "./rig.ts";
import { Torture } from "./run.ts";

const SEED_END = 2 ** 31;
const CLIENTS = 3;
/** Exit codes of a process that a signal ended, as shells have them. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (minutes > 0) return minutes;
  throw new InvalidArgumentError("it must be a number above 0");
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (Number.isInteger(seed) && seed >= 0 && seed < SEED_END) return seed;
  throw new InvalidArgumentError(`it must be a whole number from 0 to ${SEED_END - 1}`);
}

const program = new Command("torture")
  .description("kill servers under load and harass them, and check all that clients see")
  .option("--minutes <number>", "how long to go on", parseMinutes, 1)
  .option("--seed <number>", "of all random choices; another one each time unless given", parseSeed)
  .parse();
const { minutes, seed = randomInt(SEED_END) } = program.opts<{ minutes: number; seed?: number }>();

say(`seed ${seed}, ${minutes} minutes`);
const rig = new Rig({ seed, clients: CLIENTS });
// The servers and the directory go with the process; see `launchServer` and `Rig`.
for (const [signal, code] of Object.entries(SIGNALS))
  process.once(signal, () => process.exit(code));
const isGood = await new Torture(rig, seed, say).run(minutes * 60_000);
await rig[Symbol.asyncDispose]();
process.exit(isGood ? 0 : 1);
