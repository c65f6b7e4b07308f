export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetails,
  errorCodeOf,
  VarveError,
} from "./errors.ts";
export {
  type Commit,
  type Data,
  DURABILITIES,
  type Durability,
  type Entry,
  type Operation,
  type Reader,
  type Scan,
  type ScanOptions,
  type Store,
  type WriteOptions,
} from "./store.ts";
