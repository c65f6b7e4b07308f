/** Spans of time as people write them. */

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of `250`, which is in `unit`, or of `250ms`, `10s`, `1.5h`, `7d`; `undefined` for anything else. */
export function durationMs(text: string, unit: keyof typeof UNITS_MS): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)\s*$/.exec(text);
  if (match === null) return undefined;
  const named = (match[2] || unit) as keyof typeof UNITS_MS;
  return Math.round(Number(match[1]) * UNITS_MS[named]);
}
