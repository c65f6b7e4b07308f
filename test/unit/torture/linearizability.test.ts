/** The checker of histories: against known ones, against a register, and against trying every order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ABSENT, type Call, checkRegister, type State } from "../../../torture/linearizability.ts";

/**
 * Calls drawn as intervals: `2 put a 5` was called at 2 and answered at 5, `2 put a ?` has no answer, and
 * `2 put a ?5` has none but took effect before 5, if ever. A get of `-` found nothing.
 */
function history(...lines: readonly string[]): Call[] {
  return lines.map((line, i) => {
    const words = line.split(" ");
    const [calledAt = "", op = "", end = ""] = [words[0], words[1], words.at(-1)];
    const value = op === "delete" || words[2] === "-" ? undefined : words[2];
    const time = end.replace("?", "");
    return {
      client: `client ${i}`,
      key: "k",
      op: op as Call["op"],
      value,
      calledAt: Number(calledAt),
      answeredAt: time === "" ? Number.POSITIVE_INFINITY : Number(time),
      known: !end.startsWith("?"),
    };
  });
}

test.each([
  ["nothing happened", []],
  ["a get of nothing", ["1 get - 2"]],
  ["a put and a later get", ["1 put a 2", "3 get a 4"]],
  ["a get during a put sees it", ["1 put a 9", "2 get a 3"]],
  ["a get during a put does not see it yet", ["1 put a 9", "2 get - 3"]],
  ["gets during a put see the change once", ["1 put a 9", "2 get - 3", "4 get a 5"]],
  ["overlapping gets see the change in either order", ["1 put a 9", "2 get a 6", "3 get - 7"]],
  ["two puts at once in either order", ["1 put a 5", "2 put b 6", "7 get a 8"]],
  ["a delete", ["1 put a 2", "3 delete 4", "5 get - 6"]],
  ["calls that touch overlap", ["1 put a 2", "2 get - 3"]],
  ["a lost put that nobody sees", ["1 put a ?", "2 get - 3", "8 get - 9"]],
  ["a lost put that is seen at last", ["1 put a ?", "2 get - 3", "8 get a 9"]],
  ["a lost delete that is seen at last", ["1 put a 2", "3 delete ?", "4 get a 5", "6 get - 7"]],
  ["a lost put that is overtaken", ["1 put a ?", "2 put b 3", "4 get a 5", "6 get a 7"]],
  ["a lost get says nothing", ["1 put a 2", "3 get x ?"]],
  ["a bounded lost put that was done in time", ["1 put a ?5", "6 get a 7", "8 get a 9"]],
])("%s is linearizable", (_what, lines) => {
  expect(checkRegister(history(...lines)).linearizable).toBe(true);
});

test.each([
  ["a get of what nobody put", ["1 get a 2"], 0],
  ["an acknowledged put that is lost", ["1 put a 2", "3 get - 4"], 1],
  ["a put seen before it was called", ["1 get a 2", "3 put a 4"], 0],
  ["a stale get", ["1 put a 2", "3 put b 4", "5 get a 6"], 2],
  ["a value that appears and vanishes", ["1 put a 9", "2 get a 3", "4 get - 5"], 2],
  ["a lost put that was read and vanishes", ["1 put a ?", "2 get a 3", "4 get - 5"], 2],
  ["a put that takes effect twice", ["1 put a ?", "2 get a 3", "4 delete 5", "6 get a 7"], 3],
  [
    "gets that disagree on an order",
    ["1 put a 9", "1 put b 9", "2 get a 3", "4 get b 5", "6 get a 7"],
    4,
  ],
  ["a bounded lost put that appears late", ["1 put a ?5", "6 get - 7", "8 get a 9"], 2],
  ["a delete that is undone", ["1 put a 2", "3 delete 4", "5 get a 6"], 2],
])("%s is not linearizable, and the call is named", (_what, lines, at) => {
  const calls = history(...lines);
  expect(checkRegister(calls)).toMatchObject({ linearizable: false, call: calls[at] });
});

test("what a register may hold in the end is what the next part of its history begins with", () => {
  const first = checkRegister(history("1 put a 2", "3 put b ?5", "4 delete ?6"));
  expect(first).toEqual({ linearizable: true, states: new Set(["a", "b", undefined]) });
  expect(checkRegister(history("7 get b 8"), first.states)).toEqual({
    linearizable: true,
    states: new Set(["b"]),
  });
  expect(checkRegister(history("7 get c 8"), first.states).linearizable).toBe(false);
});

test("a history as long as a night is checked in one go", () => {
  const calls = history(
    ...Array.from({ length: 20_000 }, (_, i) => {
      const at = i * 10;
      return i % 4 === 3 ? `${at} get ${i - 1} ${at + 1}` : `${at} put ${i} ${at + 5}`;
    }),
  );
  expect(checkRegister(calls)).toEqual({ linearizable: true, states: new Set(["19998"]) });
});

/** A call before a register has said what it answers: it takes effect `inside` of the way to its end. */
interface Plan {
  readonly op: Call["op"];
  readonly value: string;
  readonly calledAt: number;
  readonly lasts: number;
  readonly inside: number;
  readonly isLost: boolean;
}

const plans = (maxLength: number) =>
  fc.array(
    fc.record<Plan>({
      op: fc.constantFrom("put", "put", "get", "get", "delete"),
      value: fc.constantFrom("a", "b", "c"),
      calledAt: fc.nat(20),
      lasts: fc.nat(10),
      inside: fc.double({ min: 0, max: 1, noNaN: true }),
      isLost: fc.boolean(),
    }),
    { maxLength },
  );

/** What clients of a true register see; what is lost may have happened or not, by chance. */
function simulated(planned: readonly Plan[]): Call[] {
  const inOrder = planned
    .map((plan) => ({ plan, at: plan.calledAt + plan.inside * plan.lasts }))
    .sort((a, b) => a.at - b.at);
  let state: State;
  return inOrder.map(({ plan, at }, i) => {
    const { op, calledAt, lasts, isLost } = plan;
    const happens = !isLost || plan.inside < 0.5;
    const value = op === "put" ? plan.value : op === "delete" ? undefined : state;
    if (op !== "get" && happens) state = value;
    const answeredAt = isLost && at > 10 ? Number.POSITIVE_INFINITY : calledAt + lasts;
    return { client: `${i}`, key: "k", op, value, calledAt, answeredAt, known: !isLost };
  });
}

/** Tries every order of the calls that their times allow, with and without those that are lost. */
function bruteForce(calls: readonly Call[], state: State = undefined): boolean {
  if (calls.every(({ known }) => !known)) return true;
  const firstEnd = Math.min(...calls.map(({ answeredAt }) => answeredAt));
  return calls.some((call, i) => {
    const others = calls.toSpliced(i, 1);
    if (!call.known && bruteForce(others, state)) return true;
    if (call.calledAt > firstEnd) return false;
    if (call.op === "get")
      return (!call.known || call.value === state) && bruteForce(others, state);
    return bruteForce(others, call.value);
  });
}

test("whatever clients of a register see is linearizable", () => {
  fc.assert(
    fc.property(plans(40), (planned) => {
      expect(checkRegister(simulated(planned))).toMatchObject({ linearizable: true });
    }),
    { numRuns: 1000 },
  );
});

test("with any one answer changed, the verdict is that of trying every order", () => {
  let refused = 0;
  fc.assert(
    fc.property(
      plans(6),
      fc.nat(),
      fc.constantFrom(...ABSENT, "a", "b", "d"),
      (planned, at, value) => {
        const calls = simulated(planned);
        const gets = calls.filter(({ op, known }) => op === "get" && known);
        const wrong = gets[at % Math.max(1, gets.length)];
        const changed = calls.map((call) => (call === wrong ? { ...call, value } : call));
        const { linearizable } = checkRegister(changed);
        expect(linearizable).toBe(bruteForce(changed));
        if (!linearizable) refused++;
      },
    ),
    { numRuns: 3000 },
  );
  expect(refused).toBeGreaterThan(300);
});
