/** The interface that `Database` and the client share. See `protocol/store.ts`. */
export {
  type BatchOptions,
  COUNTER_BYTES,
  type Commit,
  type Condition,
  type Data,
  type DeleteOptions,
  DURABILITIES,
  type Durability,
  decodeCounter,
  type Entry,
  type EntryRecord,
  type Expiry,
  encodeCounter,
  type Incremented,
  type KeyCondition,
  type KeyRange,
  MERGE_OPERATORS,
  type MergeOperator,
  type Operand,
  type Operation,
  type PutOptions,
  type Reader,
  type Scan,
  type ScanOptions,
  type Snapshot,
  type Store,
  type WriteCondition,
  type WriteOptions,
} from "varve-protocol";

/** What a read from memory alone returns where the answer is not there. */
export const NOT_CACHED: unique symbol = Symbol("not cached");
