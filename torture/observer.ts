/**
 * One client's record of what it called and was answered, as calls for the checker of histories. What must
 * hold in every single answer, such as that a batch is there whole or not at all, is held against it at once.
 */
import { VarveError } from "../src/errors.ts";
import type { Commit, Operation, Store } from "../src/store.ts";
import { ALL_KEYS, EVERYTHING, GROUP_KEYS, tagOf, valueFor } from "./entries.ts";
import type { Call, State } from "./linearizability.ts";

/** A put of the value that stands for `tag`, or a delete. */
export interface Change {
  readonly key: string;
  readonly tag: string | undefined;
  readonly bytes: number;
}

export type Outcome = "answered" | "refused" | "lost";

export interface Observed {
  readonly calls: readonly Call[];
  /** Answers that no server may give. */
  readonly violations: readonly string[];
  readonly acknowledgedWrites: number;
  readonly refused: number;
}

const CONNECTION_ENDED: readonly string[] = ["CONNECTION_LOST", "SHUTTING_DOWN", "CLOSED"];
const decoder = new TextDecoder();

/** Microseconds of a clock that all processes of a machine share. */
export function nowUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}

export class Observer {
  readonly #client: string;
  #calls: Call[] = [];
  #violations: string[] = [];
  #acknowledgedWrites = 0;
  #refused = 0;
  /** The newest version that a write of ours was answered with. */
  #newestVersion = 0;

  constructor(client: string) {
    this.#client = client;
  }

  /** What was observed since it was last taken. */
  take(): Observed {
    const observed = {
      calls: this.#calls,
      violations: this.#violations,
      acknowledgedWrites: this.#acknowledgedWrites,
      refused: this.#refused,
    };
    this.#calls = [];
    this.#violations = [];
    this.#acknowledgedWrites = 0;
    this.#refused = 0;
    return observed;
  }

  /** One change by `put` or `delete`, several by `batch`. */
  async write(store: Store, changes: readonly Change[]): Promise<Outcome> {
    const calledAt = nowUs();
    const newestBefore = this.#newestVersion;
    try {
      const { version } = await send(store, changes);
      const answeredAt = nowUs();
      if (version <= newestBefore) {
        this.#violate(`a write has version ${version}; ${newestBefore} was given out before it`);
      }
      this.#newestVersion = Math.max(this.#newestVersion, version);
      this.#acknowledgedWrites += changes.length;
      this.#recordWrites(changes, { calledAt, answeredAt, known: true });
      return "answered";
    } catch (error) {
      const times = { calledAt, answeredAt: Number.POSITIVE_INFINITY, known: false };
      if (error instanceof VarveError && error.maybeApplied) this.#recordWrites(changes, times);
      return this.#failed(error);
    }
  }

  get(store: Store, key: string): Promise<Outcome> {
    return this.#read([key], async () => {
      const value = await store.get(key);
      return value === undefined ? [] : [[key, value]];
    });
  }

  getMany(store: Store, keys: readonly string[]): Promise<Outcome> {
    return this.#read(keys, async () => {
      const values = await store.getMany(keys);
      return keys.flatMap((key, i): [string, Uint8Array][] => {
        const value = values[i];
        return value === undefined ? [] : [[key, value]];
      });
    });
  }

  /** Reads all keys in one scan, which must find those that are there in order, and nothing else. */
  scan(store: Store, reverse = false): Promise<Outcome> {
    return this.#read(ALL_KEYS, async () => {
      const found: [string, Uint8Array][] = [];
      for await (const [key, value] of store.scan({ ...EVERYTHING, reverse })) {
        found.push([decoder.decode(key), value]);
      }
      const keys = found.map(([key]) => key);
      const sorted = [...new Set(keys)].sort();
      if (reverse) sorted.reverse();
      if (keys.some((key, i) => key !== sorted[i])) this.#violate("a scan is out of order");
      return found;
    });
  }

  async #read(
    keys: readonly string[],
    read: () => Promise<readonly (readonly [key: string, value: Uint8Array])[]>,
  ): Promise<Outcome> {
    const calledAt = nowUs();
    try {
      const found = await read();
      const answeredAt = nowUs();
      const states = new Map<string, State>(keys.map((key) => [key, undefined]));
      for (const [key, value] of found) {
        if (!states.has(key)) this.#violate(`${key} is there; nobody wrote it`);
        states.set(key, this.#tagOf(key, value));
      }
      this.#checkGroups(states);
      for (const [key, value] of states) {
        const client = this.#client;
        this.#calls.push({ client, key, op: "get", value, calledAt, answeredAt, known: true });
      }
      return "answered";
    } catch (error) {
      return this.#failed(error);
    }
  }

  #tagOf(key: string, value: Uint8Array): string {
    try {
      return tagOf(value);
    } catch (error) {
      this.#violate(`${key}: ${String(error)}`);
      return "damaged";
    }
  }

  /** What was read of a group at one moment is one batch's. */
  #checkGroups(states: ReadonlyMap<string, State>): void {
    for (const group of GROUP_KEYS) {
      if (!group.every((key) => states.has(key))) continue;
      const tags = new Set(group.map((key) => states.get(key) ?? "absent"));
      if (tags.size > 1) this.#violate(`half a batch in ${group[0]} …: ${[...tags].join(", ")}`);
    }
  }

  #recordWrites(
    changes: readonly Change[],
    times: Pick<Call, "calledAt" | "answeredAt" | "known">,
  ): void {
    for (const { key, tag } of changes) {
      const op = tag === undefined ? "delete" : "put";
      this.#calls.push({ client: this.#client, key, op, value: tag, ...times });
    }
  }

  #failed(error: unknown): Outcome {
    const code = error instanceof VarveError ? error.code : undefined;
    if (code !== undefined && CONNECTION_ENDED.includes(code)) return "lost";
    if (code === "OVERLOADED") {
      this.#refused++;
      return "refused";
    }
    this.#violate(`a call failed: ${code ?? ""} ${String(error)}`);
    return "lost";
  }

  #violate(what: string): void {
    this.#violations.push(`${this.#client}: ${what}`);
  }
}

function send(store: Store, changes: readonly Change[]): Promise<Commit> {
  const operations = changes.map(
    ({ key, tag, bytes }): Operation =>
      tag === undefined
        ? { type: "delete", key }
        : { type: "put", key, value: valueFor(tag, bytes) },
  );
  const [only] = operations;
  if (only === undefined || operations.length > 1) return store.batch(operations);
  if (only.type === "put") return store.put(only.key, only.value);
  return only.type === "delete" ? store.delete(only.key) : store.batch(operations);
}
