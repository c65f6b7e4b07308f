/** Waiting until a store's background work is done, the same way for every store: by what the process uses. */
import { setTimeout } from "node:timers/promises";

const WINDOW_MS = 50;
const QUIET_WINDOWS = 3;
/** Of one core. */
const QUIET_SHARE = 0.06;

/** Resolves when this process, with its threads, has hardly used the processor for a while. */
export async function settle(timeoutMs = 120_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let quiet = 0; quiet < QUIET_WINDOWS && performance.now() < deadline; ) {
    const before = process.cpuUsage();
    const startedMs = performance.now();
    await setTimeout(WINDOW_MS);
    const { user, system } = process.cpuUsage(before);
    const busyMs = (user + system) / 1000;
    quiet = busyMs < QUIET_SHARE * (performance.now() - startedMs) ? quiet + 1 : 0;
  }
}
