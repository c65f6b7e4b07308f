/**
 * The promises of `Store` about writes beyond put and delete: conditions, expiry, merges, counters, ranges. One
 * suite for every implementation, as `store-conformance.ts` is.
 */
import { describe, expect, test } from "vitest";
import { conditionConformance } from "./condition-conformance.ts";
import { counterConformance } from "./counter-conformance.ts";
import { expiryConformance } from "./expiry-conformance.ts";
import { mergeConformance } from "./merge-conformance.ts";
import { freshOf, type OpenStore } from "./opened-store.ts";
import { rangeConformance } from "./range-conformance.ts";

export function writeConformance(name: string, open: OpenStore): void {
  conditionConformance(name, open);
  expiryConformance(name, open);
  mergeConformance(name, open);
  counterConformance(name, open);
  rangeConformance(name, open);

  describe(`${name}: a closed store`, () => {
    test("says CLOSED to every write that looks at what is there", async () => {
      const store = await freshOf(open)();
      await store.close();
      const calls = [
        () => store.put("a", "1", { if: { absent: true } }),
        () => store.merge("a", "add", 1),
        () => store.increment("a"),
        () => store.expire("a", { ttlMs: 1 }),
        () => store.persist("a"),
      ];
      for (const call of calls) {
        await expect((async () => call())()).rejects.toMatchObject({ code: "CLOSED" });
      }
    });
  });
}
