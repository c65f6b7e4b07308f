/** Spans of time on the command line. */
import { InvalidArgumentError } from "commander";
import { durationMs } from "../durations.ts";

/** Milliseconds of `250`, `250ms`, `10s`, `1.5h` or `7d`. */
export function parseDuration(text: string): number {
  const ms = durationMs(text, "ms");
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError("a time is a number, of milliseconds or with ms, s, m, h or d");
}
