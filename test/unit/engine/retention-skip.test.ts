import { expect, test } from "vitest";
import { Retention } from "../../../src/engine/retention.ts";
import { Version } from "../../../src/version/version.ts";
import { WallClock } from "../../support/wall-clock.ts";

function retaining(retentionSequences: number): Retention {
  return new Retention({ retentionMs: 0, retentionSequences }, new WallClock(), Version.EMPTY);
}

test("sequences that an ingest passes over are not counted among those that are retained", () => {
  const retention = retaining(10);
  expect(retention.horizon(100)).toBe(90);
  // The ingest has 1101.
  retention.skip(100, 1000);
  expect(retention.horizon(100)).toBe(90);
  expect(retention.horizon(1101)).toBe(91);
  expect(retention.horizon(1105)).toBe(95);
  retention.skip(1105, 1000);
  expect(retention.horizon(2106)).toBe(96);
  expect(retention.horizon(2114)).toBe(1104);
  expect(retention.horizon(2120)).toBe(2110);
});
