/**
 * One round: hostile and burdensome peers of every kind at once, while well-behaved clients go on being
 * served, with every answer checked. After each pass the server has given back what the peers took, and
 * after some its memory grows no more: a process keeps the most that it ever needed, but not more each time.
 */
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "varve-client";
import type { ServerProcess } from "../bench/support/server-process.ts";
import {
  abandonConnections,
  abandonScans,
  deafPeers,
  halfOpen,
  slowHellos,
} from "./fuzz/crowds.ts";
import { type Footprint, settled } from "./fuzz/footprint.ts";
import { sendFuzz } from "./fuzz/hostile-peer.ts";
import { TortureFailure } from "./ledger.ts";
import type { LoadProcess, LoadReport } from "./load-process.ts";
import { metLater } from "./met-later.ts";
import { nowUs } from "./observer.ts";
import type { Rig } from "./rig.ts";

/** How many passes at least, and how much there is in each. */
export interface FuzzScale {
  readonly passes: number;
  readonly frames: number;
  readonly connections: number;
  readonly scans: number;
  /** Peers that do not listen, and half-open ones. */
  readonly peers: number;
  /** Peers that take too long over HELLO, which take as long as the server lets them. */
  readonly slowPeers: number;
}

export interface FuzzReport {
  readonly frames: number;
  readonly before: Footprint;
  readonly after: Footprint;
}

/** Each checked by itself, so that a history stays as short as a kill round's. */
const SLICE_MS = 1000;
const IN_FLIGHT = 4;
const PASSES_MAX = 10;
/** By which resident memory may vary from pass to pass without being said to grow. */
const GROWTH_MIB_MAX = 48;

export async function fuzzRound(rig: Rig, round: number, scale: FuzzScale): Promise<FuzzReport> {
  const server = await rig.launch().serving;
  const verifier = await rig.readEverything(server);
  rig.ledger.add([verifier.take()], nowUs());
  await using monitor = await connect(server.url, { name: "monitor" });

  const before = await settled(monitor, server.pid, ONLY_MONITOR);
  let after = before;
  let passes = 0;
  for (let grows = true; passes < scale.passes || grows; passes++) {
    if (passes === PASSES_MAX) {
      const message = `the server's memory grew with every one of ${PASSES_MAX} passes`;
      throw new TortureFailure(message, [JSON.stringify({ before, after })]);
    }
    await harass(rig, server, `${round} pass ${passes}`, scale);
    const now = await settled(monitor, server.pid, before);
    grows = now.residentMiB > after.residentMiB + GROWTH_MIB_MAX;
    after = now;
  }

  await monitor.close();
  const code = await server.stop();
  if (code !== 0) throw new TortureFailure(`the server ended with exit code ${code}`, []);
  return { frames: passes * scale.frames, before, after };
}

const ANY = Number.POSITIVE_INFINITY;
/** The monitor's connection, with the request for the numbers in flight. */
const ONLY_MONITOR: Footprint = {
  connections: 1,
  inFlight: 1,
  scans: 0,
  openScans: 0,
  sockets: ANY,
  files: ANY,
  residentMiB: ANY,
};

/** All kinds of peers at once, and the well-behaved clients; resolves when the former are done. */
async function harass(
  rig: Rig,
  server: ServerProcess,
  name: string,
  scale: FuzzScale,
): Promise<void> {
  const over = new AbortController();
  const served = metLater(serveOn(rig, server, name, over.signal));
  const sent = metLater(sendPeers(rig, server.port, scale));
  try {
    await Promise.race([sent, served]);
  } finally {
    over.abort();
  }
  await served;
}

async function sendPeers({ random }: Rig, port: number, scale: FuzzScale): Promise<void> {
  const over = new AbortController();
  const deaf = metLater(deafPeers(port, scale.peers, over.signal));
  try {
    await Promise.all([
      slowHellos(port, random, scale.slowPeers),
      sendFuzz(port, random.next(), scale.frames),
      abandonConnections(port, random, scale.connections),
      abandonScans(port, random, scale.scans).then(() => halfOpen(port, scale.peers)),
    ]);
  } finally {
    over.abort();
  }
  await deaf;
}

/** Puts load on the server until the signal fires; fails where a client is not served on. */
async function serveOn(
  rig: Rig,
  server: ServerProcess,
  name: string,
  over: AbortSignal,
): Promise<void> {
  const { ledger, clients, random } = rig;
  const writesBefore = ledger.acknowledgedWrites;
  for (let slice = 0; !over.aborted; slice++) {
    let stopped = false;
    const serve = async (client: LoadProcess, i: number): Promise<LoadReport> => {
      const seed = random.next();
      const report = await client.run({
        url: server.url,
        round: `${name} ${slice}`,
        seed,
        inFlight: IN_FLIGHT,
      });
      if (!stopped) {
        const message = `client ${i} lost its connection while others harassed the server`;
        throw new TortureFailure(message, report.violations);
      }
      return report;
    };
    const reports = metLater(Promise.all(clients.map(serve)));
    await delay(SLICE_MS, undefined, { signal: over }).catch(() => undefined);
    stopped = true;
    for (const client of clients) client.stop();
    ledger.add(await reports, nowUs());
  }
  if (ledger.acknowledgedWrites > writesBefore) return;
  throw new TortureFailure("nobody was served while others harassed the server", []);
}
