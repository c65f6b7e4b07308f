/**
 * One round: a server starts on what the one before left, everything is read, clients put load on it, and it
 * is killed without warning at a random moment. What the clients saw, up to the kill, and what is there when
 * the next server has started, is one history.
 */
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "varve-client";
import type { ServerProcess } from "../bench/support/server-process.ts";
import { VarveError } from "../src/errors.ts";
import { TortureFailure } from "./ledger.ts";
import type { LoadProcess } from "./load-process.ts";
import { metLater } from "./met-later.ts";
import { nowUs } from "./observer.ts";
import type { Rig } from "./rig.ts";

const LOAD_MS_MIN = 50;
const LOAD_MS_MAX = 500;
/** About as long as a server takes to start and recover. */
const START_MS = 250;
const IN_FLIGHT_MAX = 10;
const CUT_SHORT_PERCENT = 15;
const STOP_PERCENT = 5;
const ENDED: readonly string[] = [
  "CONNECTION_LOST",
  "CONNECTION_FAILED",
  "SHUTTING_DOWN",
  "CLOSED",
];

/** How many servers were killed in the round. */
export async function killRound(rig: Rig, round: number): Promise<number> {
  const { random } = rig;
  let kills = 0;
  while (random.chance(CUT_SHORT_PERCENT)) {
    await killWhileStarting(rig);
    kills++;
  }
  const server = await rig.launch().serving;
  const verifier = await rig.readEverything(server);
  const load = (client: LoadProcess) => {
    const inFlight = 1 + random.below(IN_FLIGHT_MAX);
    return client.run({ url: server.url, round: `${round}`, seed: random.next(), inFlight });
  };
  const reports = metLater(Promise.all(rig.clients.map(load)));
  const maintained = random.chance(30) ? metLater(maintain(server)) : undefined;
  await delay(LOAD_MS_MIN + random.below(LOAD_MS_MAX - LOAD_MS_MIN));
  if (random.chance(STOP_PERCENT)) await stop(server);
  else {
    await server.kill();
    kills++;
  }
  const endedAt = nowUs();
  await maintained;
  rig.ledger.add([verifier.take(), ...(await reports)], endedAt);
  return kills;
}

/** Reads what the last kill left, then ends the server in the usual way. */
export async function lastRound(rig: Rig): Promise<void> {
  const server = await rig.launch().serving;
  const verifier = await rig.readEverything(server);
  await stop(server);
  rig.ledger.add([verifier.take()], nowUs());
}

async function killWhileStarting(rig: Rig): Promise<void> {
  const server = rig.launch();
  metLater(server.serving);
  await delay(rig.random.below(START_MS));
  await server.kill();
}

async function stop(server: ServerProcess): Promise<void> {
  const code = await server.stop();
  if (code === 0) return;
  throw new TortureFailure(`a server that was asked to stop ended with exit code ${code}`, []);
}

/** Flushes and compacts while the load goes on; the kill comes first, or soon enough. */
async function maintain(server: ServerProcess): Promise<void> {
  try {
    const client = await connect(server.url, { name: "maintenance" });
    for (;;) {
      await client.flush();
      await client.compact();
    }
  } catch (error) {
    if (error instanceof VarveError && ENDED.includes(error.code)) return;
    throw new TortureFailure(`a flush or compaction failed: ${String(error)}`, []);
  }
}
