/** What all clients have seen of all keys so far, and whether a linearizable store could have shown it. */
import { ABSENT, type Call, checkRegister, type State } from "./linearizability.ts";
import type { Observed } from "./observer.ts";

/** What is told of a failure, for as long as it fits a screen, and in whole in a file. */
export class TortureFailure extends Error {
  readonly evidence: readonly string[];

  constructor(message: string, evidence: readonly string[]) {
    super(message);
    this.evidence = evidence;
  }
}

const EVIDENCE_CALLS = 40;

export class Ledger {
  /** Histories that went through the checker, each of one key in one round, and the calls in them. */
  histories = 0;
  operations = 0;
  /** Acknowledged writes that the reads after them were held against. */
  acknowledgedWrites = 0;
  /** Calls that the server put off, as it may. */
  refused = 0;
  /** What each key may hold. */
  readonly #states = new Map<string, ReadonlySet<State>>();

  /**
   * Adds what was observed up to `endedAt`, when no call was open any more and no server ran that could still
   * carry out one: what has not taken effect by then never may. Throws `TortureFailure`.
   */
  add(observed: readonly Observed[], endedAt: number): void {
    const violations = observed.flatMap((one) => one.violations);
    if (violations.length > 0) throw new TortureFailure(violations[0] ?? "", violations);
    for (const [key, calls] of byKey(observed, endedAt)) this.#check(key, calls);
    for (const { acknowledgedWrites, refused } of observed) {
      this.acknowledgedWrites += acknowledgedWrites;
      this.refused += refused;
    }
  }

  #check(key: string, calls: readonly Call[]): void {
    const verdict = checkRegister(calls, this.#states.get(key) ?? ABSENT);
    this.histories++;
    this.operations += calls.length;
    if (verdict.linearizable) {
      this.#states.set(key, verdict.states);
      return;
    }
    const { call, states } = verdict;
    const may = [...states].map((state) => state ?? "absent").join(" or ");
    const message = `${key}: nothing explains ${textOf(call)}; the key may have held ${may}`;
    const before = calls
      .filter(({ calledAt }) => calledAt <= call.answeredAt)
      .sort((a, b) => a.calledAt - b.calledAt)
      .slice(-EVIDENCE_CALLS);
    throw new TortureFailure(message, before.map(textOf));
  }
}

function byKey(observed: readonly Observed[], endedAt: number): Map<string, Call[]> {
  const keys = new Map<string, Call[]>();
  for (const { calls } of observed) {
    for (const call of calls) {
      const ofKey = keys.get(call.key) ?? [];
      keys.set(call.key, ofKey);
      ofKey.push(call.known ? call : { ...call, answeredAt: endedAt });
    }
  }
  return keys;
}

function textOf({ client, op, value, calledAt, answeredAt, known }: Call): string {
  const what = op === "delete" ? op : `${op} ${value ?? "absent"}`;
  const times = `${calledAt.toFixed(0)}–${answeredAt.toFixed(0)} µs`;
  return `${client} ${what} (${times}${known ? "" : ", unanswered"})`;
}
