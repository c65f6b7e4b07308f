/** What was committed, in order, and what a watch of a range must tell of it. */
import assert from "node:assert";
import type { CommitEvent, FeedOperation, IngestEvent, Operation } from "../../src/store.ts";

/** Bounds as latin1 text, from `gte` up to `lt`. */
export interface TextRange {
  readonly gte?: string;
  readonly lt?: string;
}

interface ModelCommit {
  readonly firstSequence: number;
  readonly sequence: number;
  readonly operations: readonly Operation[];
}

const NEVER = Number.POSITIVE_INFINITY;

export class FeedModel {
  #commits: ModelCommit[] = [];
  #sequence = 0;

  get sequence(): number {
    return this.#sequence;
  }

  /** Keys, values and bounds are latin1 text, expiries by `expiresAt`. */
  commit(operations: readonly Operation[]): number {
    const firstSequence = this.#sequence + 1;
    this.#sequence += operations.length;
    this.#commits.push({ firstSequence, sequence: this.#sequence, operations });
    return this.#sequence;
  }

  /** What is behind this sequence never was. */
  truncate(sequence: number): void {
    this.#commits = this.#commits.filter((commit) => commit.sequence <= sequence);
    this.#sequence = this.#commits.at(-1)?.sequence ?? 0;
    assert.equal(this.#sequence, sequence, "whole batches survive");
  }

  /** The events behind `since`, up to and with `upTo`, as `textOfEvent` has them. */
  events(range: TextRange, since: number, upTo: number, nowMs: number): string[] {
    return this.#commits
      .filter(({ sequence }) => sequence > since && sequence <= upTo)
      .flatMap(({ firstSequence, sequence, operations }) => {
        const told = operations.flatMap((operation) => textOf(operation, range, nowMs) ?? []);
        return told.length === 0 ? [] : [`${firstSequence}-${sequence}: ${told.join(", ")}`];
      });
  }
}

export function textOfEvent(event: CommitEvent | IngestEvent): string {
  if (event.type === "ingest") {
    const { sequence, gte, lt } = event;
    return `${sequence}: ingest ${latin1(gte)}..${lt === undefined ? "" : latin1(lt)}`;
  }
  const { firstSequence, sequence, operations } = event;
  const told = operations.map((operation) => textOfFed(operation));
  return `${firstSequence}-${sequence}: ${told.join(", ")}`;
}

function textOfFed(operation: FeedOperation): string {
  switch (operation.type) {
    case "put":
      return `put ${latin1(operation.key)}=${latin1(operation.value)} ${operation.expiresAt ?? NEVER}`;
    case "delete":
      return `delete ${latin1(operation.key)} ${operation.expiresAt ?? NEVER}`;
    case "merge":
      return `merge ${latin1(operation.key)} ${operation.operator} ${latin1(operation.operand)}`;
    case "deleteRange":
      return `range ${latin1(operation.gte)}..${operation.lt === undefined ? "" : latin1(operation.lt)}`;
  }
}

function textOf(
  operation: Operation,
  { gte = "", lt }: TextRange,
  nowMs: number,
): string | undefined {
  if (operation.type === "deleteRange") {
    const start = [gte, String(operation.gte)].sort().at(-1)!;
    const ends = [lt, operation.lt as string | undefined].filter((end) => end !== undefined);
    const end = ends.sort().at(0);
    return end !== undefined && end <= start ? undefined : `range ${start}..${end ?? ""}`;
  }
  const key = String(operation.key);
  if (key < gte || (lt !== undefined && key >= lt)) return undefined;
  switch (operation.type) {
    case "put": {
      const expiresAt = operation.expiresAt ?? NEVER;
      return expiresAt <= nowMs
        ? `delete ${key} ${expiresAt}`
        : `put ${key}=${operation.value} ${expiresAt}`;
    }
    case "delete":
      return `delete ${key} ${NEVER}`;
    case "merge":
      return `merge ${key} ${operation.operator} ${operation.operand}`;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
