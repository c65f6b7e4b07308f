/** How long processes have used the processor, where the kernel shows it in `/proc`. */
import { existsSync, readFileSync } from "node:fs";

/** Of the kernel's clock in `/proc`, on every common system. */
const TICK_MS = 10;

/**
 * The fields of `/proc/<pid>/stat` that count ticks, summed: its own, and those of its children that have ended.
 * The second field is the program's name, in parentheses, with anything in it.
 */
export function ticksIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
}

/** Milliseconds that a process, with all its descendants, has used since it began; NaN where that is not shown. */
export function processorMs(pid: number): number {
  const folder = `/proc/${pid}`;
  const children = `${folder}/task/${pid}/children`;
  if (!existsSync(children)) return Number.NaN;
  const pids = readFileSync(children, "utf8").split(" ").filter(Boolean).map(Number);
  // One that ends meanwhile is counted with its parent the next time.
  const below = pids.map(processorMs).filter((ms) => !Number.isNaN(ms));
  const own = ticksIn(readFileSync(`${folder}/stat`, "utf8")) * TICK_MS;
  return below.reduce((sum, ms) => sum + ms, own);
}
