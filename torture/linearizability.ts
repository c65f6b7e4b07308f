/**
 * Decides whether what clients saw of one register could have come from a register that does one thing at a
 * time: each call takes effect at one moment between its beginning and its end, and every get sees the last
 * put or delete before it. A key/value store without reads of several keys is linearizable if and only if
 * each of its keys is (Herlihy and Wing, 1990), so a history is checked key by key.
 *
 * The search is Wing and Gong's (1993), walked forward in time as Lowe has it ("Testing for
 * linearizability", 2017): it keeps every configuration that the calls so far allow, which is the set of
 * open calls that have taken effect and the state that follows, each once. A configuration is only as large
 * as the number of calls that are open together, so the length of a history costs no more than its length.
 */

/** What a register holds; `undefined` where the key is absent. */
export type State = string | undefined;

export interface Call {
  readonly client: string;
  readonly key: string;
  readonly op: "put" | "delete" | "get";
  /** What is put, or what was got; `undefined` for a delete. */
  readonly value: State;
  readonly calledAt: number;
  /** The call took effect before this, if ever; infinite where nothing bounds it. */
  readonly answeredAt: number;
  /** Whether it has taken effect. Without an answer nobody knows: a write may have or not, and a get says nothing. */
  readonly known: boolean;
}

export type Verdict =
  /** What the register may hold after all calls. */
  | { readonly linearizable: true; readonly states: ReadonlySet<State> }
  /** The first call whose answer nothing explains, and what the register may have held before it ended. */
  | { readonly linearizable: false; readonly call: Call; readonly states: ReadonlySet<State> };

export const ABSENT: ReadonlySet<State> = new Set([undefined]);

/** The calls are of one key, in any order; `before` is what the register may hold before all of them. */
export function checkRegister(
  calls: readonly Call[],
  before: ReadonlySet<State> = ABSENT,
): Verdict {
  const search = new Search(before);
  for (const { call, isEnd } of eventsOf(calls)) {
    if (!isEnd) search.begin(call);
    else if (!search.end(call)) {
      return { linearizable: false, call, states: search.states() };
    }
  }
  return { linearizable: true, states: search.states() };
}

interface Event {
  readonly at: number;
  readonly isEnd: boolean;
  readonly call: Call;
}

/** In order of time; of two events at the same time a beginning comes first, so that the calls overlap. */
function eventsOf(calls: readonly Call[]): Event[] {
  const events: Event[] = [];
  for (const call of calls) {
    if (!call.known && call.op === "get") continue;
    events.push({ at: call.calledAt, isEnd: false, call });
    events.push({ at: call.answeredAt, isEnd: true, call });
  }
  return events.sort((a, b) => a.at - b.at || Number(a.isEnd) - Number(b.isEnd));
}

interface Configuration {
  readonly state: State;
  /** A bit for each open call that has taken effect. */
  readonly done: bigint;
}

class Search {
  readonly #open = new Map<Call, bigint>();
  readonly #freeBits: bigint[] = [];
  #configurations: Map<string, Configuration>;

  constructor(before: ReadonlySet<State>) {
    this.#configurations = new Map();
    for (const state of before) add(this.#configurations, { state, done: 0n });
  }

  states(): ReadonlySet<State> {
    return new Set([...this.#configurations.values()].map(({ state }) => state));
  }

  begin(call: Call): void {
    this.#open.set(call, this.#freeBits.pop() ?? 1n << BigInt(this.#open.size));
    if (call.op === "get") this.#replace((configuration) => this.#withGets(configuration));
  }

  /** False where no configuration lets the call have taken effect; then nothing has changed. */
  end(call: Call): boolean {
    const bit = this.#open.get(call) ?? 0n;
    const ended = new Map<string, Configuration>();
    const seen = new Map(this.#configurations);
    // A map hands out what is added while it is walked, so this is the queue of the search, too.
    for (const configuration of seen.values()) {
      const isDone = (configuration.done & bit) !== 0n;
      if (isDone) add(ended, { state: configuration.state, done: configuration.done & ~bit });
      else for (const next of this.#successors(configuration)) add(seen, next);
    }
    // A call that nobody knows of may have had no effect at all.
    if (!call.known) {
      for (const configuration of this.#configurations.values()) {
        if ((configuration.done & bit) === 0n) add(ended, configuration);
      }
    }
    if (ended.size === 0) return false;
    this.#configurations = ended;
    this.#open.delete(call);
    this.#freeBits.push(bit);
    return true;
  }

  /** Every configuration that is one put or delete further. */
  *#successors({ done }: Configuration): Generator<Configuration> {
    for (const [call, bit] of this.#open) {
      if (call.op === "get" || (done & bit) !== 0n) continue;
      yield this.#withGets({ state: call.value, done: done | bit });
    }
  }

  /**
   * With every open get that sees this state done. A get changes nothing, so doing it as soon as it fits
   * leaves open all that doing it later would.
   */
  #withGets({ state, done }: Configuration): Configuration {
    let withGets = done;
    for (const [call, bit] of this.#open) {
      if (call.op === "get" && call.value === state) withGets |= bit;
    }
    return { state, done: withGets };
  }

  #replace(change: (configuration: Configuration) => Configuration): void {
    const changed = new Map<string, Configuration>();
    for (const configuration of this.#configurations.values()) add(changed, change(configuration));
    this.#configurations = changed;
  }
}

function add(configurations: Map<string, Configuration>, configuration: Configuration): void {
  const { state, done } = configuration;
  const name = `${done.toString(36)} ${state === undefined ? "absent" : `holds ${state}`}`;
  if (!configurations.has(name)) configurations.set(name, configuration);
}
