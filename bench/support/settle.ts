/** Waiting until a store's background work is done, the same way for every store: by what the process uses. */
import { setTimeout } from "node:timers/promises";

const WINDOW_MS = 50;
const CALM_MS = 150;
/** Longer than a store waits before it begins work that it keeps for when nothing is written. */
export const IDLE_WORK_MS = 6000;
/** Of one core. */
const QUIET_SHARE = 0.06;

const TIMEOUT_MS = 120_000;

/** Resolves when this process, with its threads, has hardly used the processor for so long; gives up at a timeout. */
export async function settle(calmMs = CALM_MS, timeoutMs = TIMEOUT_MS): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const windows = Math.ceil(calmMs / WINDOW_MS);
  for (let quiet = 0; quiet < windows && performance.now() < deadline; ) {
    const before = process.cpuUsage();
    const startedMs = performance.now();
    await setTimeout(WINDOW_MS);
    const { user, system } = process.cpuUsage(before);
    const busyMs = (user + system) / 1000;
    quiet = busyMs < QUIET_SHARE * (performance.now() - startedMs) ? quiet + 1 : 0;
  }
}
