/** The interface that `Database` and the client share. See `protocol/store.ts`. */
export {
  type BatchOptions,
  type Commit,
  type Condition,
  type Data,
  DURABILITIES,
  type Durability,
  type Entry,
  type EntryRecord,
  type Expiry,
  type Incremented,
  type KeyCondition,
  MERGE_OPERATORS,
  type MergeOperator,
  type Operand,
  type Operation,
  type Reader,
  type Scan,
  type ScanOptions,
  type Store,
  type WriteOptions,
} from "varve-protocol";

/** What a read from memory alone returns where the answer is not there. */
export const NOT_CACHED: unique symbol = Symbol("not cached");
