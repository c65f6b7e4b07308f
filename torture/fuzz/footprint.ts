/** What a server holds: by its own count, and by the system's. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { VarveClient } from "varve-client";
import { TortureFailure } from "../ledger.ts";

export interface Footprint {
  readonly connections: number;
  readonly inFlight: number;
  readonly scans: number;
  readonly openScans: number;
  readonly sockets: number;
  readonly files: number;
  readonly residentMiB: number;
}

interface Stats {
  readonly server: {
    readonly connections: number;
    readonly inFlight: number;
    readonly scans: number;
  };
  readonly store: { readonly openScans: number };
}

const SETTLE_MS_MAX = 20_000;
const SETTLE_STEP_MS = 50;
/** Tables come and go with flush and compaction, and their files with them. */
const FILES_MORE_MAX = 32;
export async function footprintOf(client: VarveClient, pid: number): Promise<Footprint> {
  const { server, store } = (await client.stats()) as unknown as Stats;
  const { connections, inFlight, scans } = server;
  const targets = openFilesOf(pid);
  const sockets = targets.filter((target) => target.startsWith("socket:")).length;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const residentMiB = Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
  const files = targets.length - sockets;
  return { connections, inFlight, scans, openScans: store.openScans, sockets, files, residentMiB };
}

function openFilesOf(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).flatMap((name) => {
    try {
      return [readlinkSync(`${directory}/${name}`)];
    } catch {
      return [];
    }
  });
}

/**
 * Resolves, with what is held then, when all but memory is back to where it was; fails where it does not come
 * to that.
 */
export async function settled(
  client: VarveClient,
  pid: number,
  before: Footprint,
): Promise<Footprint> {
  const deadline = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const now = await footprintOf(client, pid);
    const above = aboveOf(now, before);
    if (above.length === 0) return now;
    if (performance.now() > deadline) {
      const evidence = [`before: ${JSON.stringify(before)}`, `after: ${JSON.stringify(now)}`];
      throw new TortureFailure(
        `not given back after the peers went: ${above.join(", ")}`,
        evidence,
      );
    }
    await delay(SETTLE_STEP_MS);
  }
}

function aboveOf(now: Footprint, before: Footprint): string[] {
  const { residentMiB: _, ...most } = { ...before, files: before.files + FILES_MORE_MAX };
  const names = Object.keys(most) as (keyof typeof most)[];
  return names.filter((name) => now[name] > most[name]);
}
