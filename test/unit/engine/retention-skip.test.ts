import { expect, test } from "vitest";
import { Retention } from "../../../src/engine/retention.ts";
import { Version } from "../../../src/version/version.ts";
import { WallClock } from "../../support/wall-clock.ts";

function retaining(retentionSequences: number): Retention {
  return new Retention({ retentionMs: 0, retentionSequences }, new WallClock(), Version.EMPTY);
}

test("sequences that an ingest passes over are not counted among those that are retained", () => {
  const retention = retaining(10);
  expect(retention.horizons(100, []).rest).toBe(90);
  // The ingest has 1101.
  retention.skip(100, 1000);
  expect(retention.horizons(100, []).rest).toBe(90);
  expect(retention.horizons(1101, []).rest).toBe(91);
  expect(retention.horizons(1105, []).rest).toBe(95);
  retention.skip(1105, 1000);
  expect(retention.horizons(2106, []).rest).toBe(96);
  expect(retention.horizons(2114, []).rest).toBe(1104);
  expect(retention.horizons(2120, []).rest).toBe(2110);
});
