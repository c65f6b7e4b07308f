export {
  type Commit,
  type CompactRange,
  type Data,
  type Durability,
  type Entry,
  type EntryRecord,
  ERROR_CODES,
  type ErrorCode,
  type Limits,
  type Operation,
  type Scan,
  type ScanOptions,
  type Store,
  VarveError,
  type Welcome,
  type WriteOptions,
} from "varve-protocol";
export type { VarveClient, VerifyResult } from "./client.ts";
export { connect } from "./connect.ts";
export type { CallOptions, ConnectOptions } from "./options.ts";
