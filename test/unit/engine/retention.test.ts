import { expect, test } from "vitest";
import { Retention } from "../../../src/engine/retention.ts";
import { Version } from "../../../src/version/version.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { tableOf } from "../../support/table-metas.ts";

const HOUR = 3_600_000;

test("without a retention nothing of the past is kept for its own sake", () => {
  const clock = new ManualClock();
  const none = new Retention({ retentionMs: 0, retentionSequences: 0 }, clock, Version.EMPTY);
  expect(none.horizons(1000, []).rest).toBe(Number.POSITIVE_INFINITY);
});

test("by sequences, the horizon follows at a distance", () => {
  const clock = new ManualClock();
  const kept = new Retention({ retentionMs: 0, retentionSequences: 100 }, clock, Version.EMPTY);
  expect(kept.horizons(50, []).rest).toBe(0);
  expect(kept.horizons(1000, []).rest).toBe(900);
});

test("by time, the horizon is never ahead of what is that old, nor far behind", () => {
  const clock = new ManualClock();
  const kept = new Retention({ retentionMs: HOUR, retentionSequences: 0 }, clock, Version.EMPTY);
  const committed: number[] = [];
  for (let minute = 0; minute < 600; minute++) {
    committed.push(minute * 10);
    const horizon = kept.horizons(minute * 10, []).rest;
    const exact = committed[minute - 60] ?? 0;
    expect(horizon).toBeLessThanOrEqual(exact);
    expect(horizon).toBeGreaterThanOrEqual(exact - 20);
    clock.advance(HOUR / 60);
  }
});

test("by both, what either keeps is kept", () => {
  const clock = new ManualClock();
  const kept = new Retention({ retentionMs: HOUR, retentionSequences: 100 }, clock, Version.EMPTY);
  kept.horizons(500, []).rest;
  clock.advance(2 * HOUR);
  expect(kept.horizons(550, []).rest).toBe(450);
  expect(kept.horizons(5000, []).rest).toBe(500);
});

test("after a reopen, the age of the tables tells the age of what is in them", () => {
  const clock = new ManualClock();
  const table = tableOf(1, "a", "z", { largestSequence: 700, createdAtMs: clock.now() });
  const version = Version.EMPTY.apply({ added: [{ level: 1, table }], removed: [] });
  clock.advance(HOUR + 1);
  const kept = new Retention({ retentionMs: HOUR, retentionSequences: 0 }, clock, version);
  expect(kept.horizons(900, []).rest).toBe(700);
});

test("gaps in the sequences that an earlier ingest has left are not counted, though nobody knows how large they are", () => {
  const clock = new ManualClock();
  const settings = { retentionMs: 0, retentionSequences: 100 };
  const kept = new Retention(settings, clock, Version.EMPTY, 16_000_000);
  expect(kept.horizons(16_000_050, []).rest).toBe(0);
  expect(kept.horizons(16_000_150, []).rest).toBe(16_000_050);
});
