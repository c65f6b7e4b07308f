/**
 * Writes, from checked arguments to the commit queue: each passes admission, and is then applied in one synchronous
 * step. Most are blind. Those that depend on what is there, for a condition or a result, read it in that same step
 * (`latest.ts`).
 */
import { VarveError } from "../errors.ts";
import type { Clock } from "../fs/clock.ts";
import { KIND } from "../key.ts";
import type { Settings } from "../options.ts";
import {
  type BatchOptions,
  COUNTER_BYTES,
  type Commit,
  type Data,
  type DeleteOptions,
  type Durability,
  decodeCounter,
  type Expiry,
  encodeCounter,
  type Incremented,
  type KeyRange,
  type MergeOperator,
  type Operand,
  type Operation,
  type PutOptions,
  type WriteOptions,
} from "../store.ts";
import type { Admission } from "./admission.ts";
import type { CommitQueue } from "./commit-queue.ts";
import {
  assertHolds,
  assertUnchanged,
  type CheckedConditions,
  checkConditions,
  NO_CONDITIONS,
} from "./conditions.ts";
import { type Latest, LatestReads } from "./latest.ts";
import { foldOperands, mustFoldOperands } from "./operands.ts";
import { orderMemtables } from "./range-changes.ts";
import type { Reads } from "./reads.ts";
import type { SnapshotList } from "./snapshot-list.ts";
import type { SpaceGuard } from "./space-guard.ts";
import type { Tree } from "./tree.ts";
import {
  type CheckedBatch,
  checkBatch,
  checkDurability,
  checkExpiry,
  checkKey,
  checkOperand,
  checkValue,
  copyBatch,
  expiryOf,
  type Limits,
  type StoredOperation,
  storedPut,
  storedRange,
} from "./validate.ts";
import { assertKeyspace } from "./validate-keyspace.ts";

const NO_VALUE = new Uint8Array(0);
const COUNTER_MIN = -(2n ** 63n);
const COUNTER_MAX = 2n ** 63n - 1n;

export interface WriteParts {
  readonly settings: Settings;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly tree: Tree;
  readonly reads: Reads;
  readonly commits: CommitQueue;
  readonly admission: Admission;
  readonly space: SpaceGuard;
  readonly snapshots: Pick<SnapshotList, "forgottenSequence">;
}

export class Writes {
  readonly #parts: WriteParts;
  readonly #latest: LatestReads;

  constructor(parts: WriteParts) {
    this.#parts = parts;
    const { tree, reads, commits } = parts;
    this.#latest = new LatestReads(tree, reads, () => commits.submittedSequence);
  }

  put(key: Data, value: Data, options: PutOptions | undefined): Promise<Commit> {
    const { limits } = this.#parts;
    const keyBytes = checkKey(key, limits);
    const valueBytes = checkValue(value, limits);
    if (options === undefined && keyBytes[0] !== 0) {
      return this.#one(KIND.PUT, keyBytes, valueBytes, undefined);
    }
    const expiresAtMs = expiryOf(keyBytes, options, limits, this.#now());
    return this.#conditional(storedPut(keyBytes, valueBytes, expiresAtMs), options ?? {});
  }

  delete(key: Data, options: DeleteOptions | undefined): Promise<Commit> {
    const keyBytes = checkKey(key, this.#parts.limits);
    if (options === undefined) return this.#one(KIND.DELETE, keyBytes, NO_VALUE, undefined);
    return this.#conditional({ kind: KIND.DELETE, key: keyBytes, value: NO_VALUE }, options);
  }

  deleteRange(range: KeyRange, options: WriteOptions | undefined): Promise<Commit> {
    const { kind, key, value } = storedRange(range, this.#parts.limits);
    return this.#one(kind, key, value, options);
  }

  async batch(operations: readonly Operation[], options?: BatchOptions): Promise<Commit> {
    const { limits, commits } = this.#parts;
    const batch = checkBatch(operations, limits, this.#now());
    const durability = this.#durabilityOf(options);
    const conditions = checkConditions(options?.if, undefined, limits);
    const { length } = batch.operations;
    if (length === 0 && isNone(conditions)) return { version: commits.visibleSequence };
    if (batch.operations.some(({ kind }) => needsSpace(kind))) this.#parts.space.assertSpace();
    if (isNone(conditions) && !mustFoldOperands(this.#parts.tree, batch.operations)) {
      if (this.#parts.admission.mayPass(length, batch.bytes))
        return this.#commit(batch, durability);
      const kept = copyBatch(batch);
      return this.#admit(length, batch.bytes, () => this.#commit(kept, durability));
    }
    const kept = copyBatch(batch);
    return this.#admit(length, batch.bytes, () => this.#check(kept, conditions, durability));
  }

  async merge(
    key: Data,
    operator: MergeOperator,
    operand: Operand,
    options: WriteOptions | undefined,
  ): Promise<Commit> {
    const { limits } = this.#parts;
    const value = checkOperand(operator, operand, limits);
    const operation = { kind: KIND.MERGE, key: checkKey(key, limits), value };
    const { key: keyBytes } = operation;
    const batch = { operations: [operation], bytes: keyBytes.length + value.length };
    if (!mustFoldOperands(this.#parts.tree, batch.operations))
      return this.#one(KIND.MERGE, keyBytes, value, options);
    this.#parts.space.assertSpace();
    const durability = this.#durabilityOf(options);
    const kept = copyBatch(batch);
    return this.#admit(1, batch.bytes, () => this.#check(kept, NO_CONDITIONS, durability));
  }

  async increment(
    key: Data,
    delta: number | bigint,
    options: WriteOptions | undefined,
  ): Promise<Incremented> {
    const added = decodeCounter(encodeCounter(delta));
    let sum = 0n;
    const commit = await this.#replace(key, options, (latest, own) => {
      sum = sumOf(latest.value, added);
      const expiresAtMs =
        latest.value === undefined
          ? expiryOf(own, undefined, this.#parts.limits, this.#now())
          : latest.expiresAtMs;
      return { value: encodeCounter(sum), expiresAtMs: expiresAtMs ?? Number.POSITIVE_INFINITY };
    });
    return { version: commit?.version ?? 0, value: sum };
  }

  async expire(
    key: Data,
    expiry: Expiry,
    options: WriteOptions | undefined,
  ): Promise<Commit | undefined> {
    const expiresAtMs = checkExpiry(expiry ?? {}, this.#now());
    if (expiresAtMs === undefined) {
      throw new VarveError("INVALID_ARGUMENT", "expire takes { ttlMs } or { expiresAt }");
    }
    return this.#replace(key, options, ({ value }) => value && { value, expiresAtMs });
  }

  async persist(key: Data, options: WriteOptions | undefined): Promise<Commit | undefined> {
    const expiresAtMs = Number.POSITIVE_INFINITY;
    return this.#replace(key, options, ({ value }) => value && { value, expiresAtMs });
  }

  /** What the store writes for itself, in its own keyspace, too; durable when it resolves. */
  async system(operations: readonly StoredOperation[]): Promise<Commit> {
    const bytes = bytesOf(operations);
    if (operations.some(({ kind }) => kind === KIND.PUT)) this.#parts.space.assertSpace();
    return this.#admit(operations.length, bytes, () =>
      this.#submit({ operations, bytes }, "always"),
    );
  }

  #conditional(operation: StoredOperation, options: DeleteOptions): Promise<Commit> {
    const { key, value } = operation;
    const conditions = checkConditions(options.if, key, this.#parts.limits);
    if (isNone(conditions)) return this.#one(operation.kind, key, value, options);
    const durability = this.#durabilityOf(options);
    if (needsSpace(operation.kind)) this.#parts.space.assertSpace();
    const kept = copyBatch({ operations: [operation], bytes: key.length + value.length });
    return this.#admit(1, kept.bytes, () => this.#check(kept, conditions, durability));
  }

  /** Hot path: a blind write of one operation. */
  #one(
    kind: number,
    key: Uint8Array,
    value: Uint8Array,
    options: WriteOptions | undefined,
  ): Promise<Commit> {
    const durability = this.#durabilityOf(options);
    const { admission, commits, space } = this.#parts;
    if (needsSpace(kind)) space.assertSpace();
    const bytes = key.length + value.length;
    if (admission.mayPass(1, bytes)) {
      commits.begin(1, bytes);
      commits.add(kind, key, value);
      return commits.end(durability);
    }
    // The caller may use its arrays again once this has returned, so a write that waits keeps copies.
    const [keptKey, keptValue] = [new Uint8Array(key), new Uint8Array(value)];
    return admission.wait(1, bytes, () => {
      this.#assertKeyspace(keptKey);
      commits.begin(1, bytes);
      commits.add(kind, keptKey, keptValue);
      return commits.end(durability);
    });
  }

  /** Writes another value in the place of a key's; `replace` gives none where the key is to stay as it is. */
  async #replace(
    key: Data,
    options: WriteOptions | undefined,
    replace: (
      latest: Latest,
      own: Uint8Array,
    ) => { value: Uint8Array; expiresAtMs: number } | undefined,
  ): Promise<Commit | undefined> {
    const own = new Uint8Array(checkKey(key, this.#parts.limits));
    const durability = this.#durabilityOf(options);
    this.#parts.space.assertSpace();
    return this.#admit(1, own.length, async () => {
      const written = await this.#settled(() =>
        this.#latest.use([own], ([latest]) => {
          const next = replace(latest as Latest, own);
          if (next === undefined) return undefined;
          const { value, expiresAtMs } = next;
          const expires = expiresAtMs !== Number.POSITIVE_INFINITY;
          const put = storedPut(own, value, expires ? expiresAtMs : undefined);
          const bytes = own.length + put.value.length;
          return this.#commit({ operations: [put], bytes }, durability);
        }),
      );
      if (written === undefined) await this.#parts.commits.barrier();
      return written;
    });
  }

  /** Commits the batch if the conditions hold, with its operands folded where they must be. */
  #check(
    batch: CheckedBatch,
    { keys: conditions, ranges }: CheckedConditions,
    durability: Durability,
  ): Promise<Commit> {
    const { tree, snapshots } = this.#parts;
    const merged = batch.operations.filter(({ kind }) => kind === KIND.MERGE);
    const keys = [...conditions, ...merged].map(({ key }) => key);
    return this.#settled(async () => {
      for (const { unchangedSince } of ranges) await orderMemtables(tree.views, unchangedSince);
      return this.#latest.use(keys, (latest) => {
        const forgotten = snapshots.forgottenSequence;
        for (const [i, condition] of conditions.entries()) {
          assertHolds(condition, latest[i] as Latest, forgotten);
        }
        for (const range of ranges) assertUnchanged(range, tree.view, forgotten);
        // Asked again, as what was fetched may have taken its time.
        const isBlind =
          merged.length === 0 || !mustFoldOperands(this.#parts.tree, batch.operations);
        const operations = isBlind
          ? batch.operations
          : foldOperands(batch.operations, latest.slice(conditions.length), this.#now());
        return this.#commit({ operations, bytes: bytesOf(operations) }, durability);
      });
    });
  }

  /** What `write` refuses because of what it saw is told when that is durable. */
  async #settled<Result>(write: () => Promise<Result>): Promise<Result> {
    try {
      return await write();
    } catch (error) {
      await this.#parts.commits.barrier();
      throw error;
    }
  }

  #admit<Result>(operations: number, bytes: number, apply: () => Promise<Result>): Promise<Result> {
    const { admission } = this.#parts;
    return admission.mayPass(operations, bytes)
      ? apply()
      : admission.wait(operations, bytes, apply);
  }

  #commit({ operations, bytes }: CheckedBatch, durability: Durability): Promise<Commit> {
    // Checked once more, as the batch may have waited.
    for (const { key } of operations) this.#assertKeyspace(key);
    return this.#submit({ operations, bytes }, durability);
  }

  #submit({ operations, bytes }: CheckedBatch, durability: Durability): Promise<Commit> {
    const { commits } = this.#parts;
    commits.begin(operations.length, bytes);
    for (const { kind, key, value } of operations) commits.add(kind, key, value);
    return commits.end(durability);
  }

  #assertKeyspace(key: Uint8Array): void {
    if (key[0] === 0) assertKeyspace(key, this.#parts.limits.keyspaces);
  }

  #durabilityOf(options: WriteOptions | undefined): Durability {
    const durability = options?.durability;
    return durability === undefined ? this.#parts.settings.durability : checkDurability(durability);
  }

  #now(): number {
    return this.#parts.clock.now();
  }
}

function isNone({ keys, ranges }: CheckedConditions): boolean {
  return keys.length === 0 && ranges.length === 0;
}

/** What gives space back goes on where the disk is full. */
function needsSpace(kind: number): boolean {
  return kind !== KIND.DELETE && kind !== KIND.RANGE_DELETE;
}

function sumOf(value: Uint8Array | undefined, added: bigint): bigint {
  if (value !== undefined && value.length !== COUNTER_BYTES) {
    const message = `the value has ${value.length} bytes; a counter has ${COUNTER_BYTES}`;
    throw new VarveError("NOT_A_COUNTER", message);
  }
  const sum = (value === undefined ? 0n : decodeCounter(value)) + added;
  if (sum < COUNTER_MIN || sum > COUNTER_MAX) {
    throw new VarveError("COUNTER_OVERFLOW", `64 bits do not hold ${sum}`);
  }
  return sum;
}

function bytesOf(operations: readonly StoredOperation[]): number {
  return operations.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
}
