/** The checker of serializability, on histories whose anomalies are known. */
import { expect, test } from "vitest";
import { anomaliesOf } from "../support/serializability.ts";
import type { RanTransaction, Step } from "../support/transaction-history.ts";

/** "r x 1 2" reads x as [1, 2]; "a x 3" appends 3 to it. All run at one time. */
function ran(name: string, ...steps: string[]): RanTransaction {
  return { name, committed: true, began: 0, ended: 100, steps: steps.map(stepOf) };
}

function stepOf(text: string): Step {
  const [type, key = "", ...elements] = text.split(" ");
  if (type === "r") return { type: "read", key, elements };
  return { type: "append", key, element: elements[0] ?? "" };
}

const aborted = (one: RanTransaction): RanTransaction => ({ ...one, committed: false });
const at = (one: RanTransaction, began: number, ended: number) => ({ ...one, began, ended });
const all = (...steps: string[]) => ran("final", ...steps);

const SOUND: [what: string, history: RanTransaction[]][] = [
  ["nothing", []],
  ["one after the other", [ran("A", "r x", "a x 1"), ran("B", "r x 1", "a x 2"), all("r x 1 2")]],
  [
    "reads of different moments",
    [ran("A", "a x 1", "a y 1"), ran("B", "r x", "r y"), all("r x 1", "r y 1")],
  ],
  ["own appends seen", [ran("A", "r x", "a x 1", "r x 1", "a x 2", "r x 1 2")]],
  ["blind own appends seen", [ran("A", "a x 1"), ran("B", "a x 2", "r x 1 2"), all("r x 1 2")]],
  [
    "an aborted one that nobody saw",
    [aborted(ran("A", "a x 1")), ran("B", "r x", "a x 2"), all("r x 2")],
  ],
  ["one before the other in time", [at(ran("A", "a x 1"), 0, 1), at(ran("B", "r x 1"), 2, 3)]],
];

test.each(SOUND)("no anomaly: %s", (_what, history) => {
  expect(anomaliesOf(history)).toEqual([]);
});

const ANOMALIES: [what: string, told: RegExp, history: RanTransaction[]][] = [
  [
    "lost update",
    /^anti-dependency cycle: .*-rw->/,
    [ran("A", "r x", "a x 1"), ran("B", "r x", "a x 2"), all("r x 1 2")],
  ],
  [
    "lost update whose first write is gone",
    /^(anti-dependency cycle|incompatible)/,
    [ran("A", "r x", "a x 1"), ran("B", "r x", "a x 2"), ran("C", "r x 1"), all("r x 2")],
  ],
  [
    "write skew",
    /^anti-dependency cycle: (A -rw-> B -rw-> A|B -rw-> A -rw-> B)$/,
    [ran("A", "r x", "r y", "a x 1"), ran("B", "r x", "r y", "a y 1"), all("r x 1", "r y 1")],
  ],
  [
    "phantom",
    /^anti-dependency cycle/,
    [
      ran("A", "r k1", "r k2", "r k3", "a k1 1"),
      ran("B", "r k1", "r k2", "r k3", "a k3 1"),
      all("r k1 1", "r k2", "r k3 1"),
    ],
  ],
  [
    "read skew",
    /^anti-dependency cycle/,
    [ran("A", "r x", "r y 1"), ran("B", "a x 1", "a y 1"), all("r x 1", "r y 1")],
  ],
  [
    "write cycle",
    /^write cycle/,
    [ran("A", "a x 1", "a y 1"), ran("B", "a x 2", "a y 2"), all("r x 1 2", "r y 2 1")],
  ],
  [
    "circular information flow",
    /^circular information flow/,
    [ran("A", "a x 1", "r y 1"), ran("B", "a y 1", "r x 1")],
  ],
  [
    "long fork",
    /^anti-dependency cycle/,
    [
      ran("A", "a x 1"),
      ran("B", "a y 1"),
      ran("C", "r x 1", "r y"),
      ran("D", "r x", "r y 1"),
      all("r x 1", "r y 1"),
    ],
  ],
  [
    "dirty read",
    /^dirty read: B read 1 in x, which A did not commit$/,
    [aborted(ran("A", "a x 1")), ran("B", "r x 1")],
  ],
  ["intermediate read", /^intermediate read/, [ran("A", "a x 1", "a x 2"), ran("B", "r x 1")]],
  ["made up", /^made up/, [ran("A", "r x 1")]],
  ["duplicate", /^duplicate/, [ran("A", "a x 1"), ran("B", "r x 1 1")]],
  [
    "incompatible order",
    /^incompatible order/,
    [ran("A", "a x 1"), ran("B", "a x 2"), ran("C", "r x 1 2"), ran("D", "r x 2 1")],
  ],
  ["a read that is not repeatable", /^internal/, [ran("A", "a x 1"), ran("B", "r x", "r x 1")]],
  ["own append not seen", /^internal/, [ran("A", "a x 1", "r x")]],
  [
    "stale read",
    /^real-time violation/,
    [at(ran("A", "a x 1"), 0, 1), at(ran("B", "r x"), 2, 3), all("r x 1")],
  ],
];

test.each(ANOMALIES)("an anomaly is found: %s", (_what, told, history) => {
  const found = anomaliesOf(history);
  expect(found).not.toEqual([]);
  expect(found[0]).toMatch(told);
});
