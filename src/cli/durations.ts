/** Spans of time as people write them. */
import { InvalidArgumentError } from "commander";

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of `250`, `250ms`, `10s`, `1.5h` or `7d`. */
export function parseDuration(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)\s*$/.exec(text);
  if (match === null) {
    throw new InvalidArgumentError("a time is a number, of milliseconds or with ms, s, m, h or d");
  }
  const unit = (match[2] || "ms") as keyof typeof UNITS_MS;
  return Math.round(Number(match[1]) * UNITS_MS[unit]);
}
