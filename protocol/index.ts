export { type Answer, decodeAnswer, encodeAnswer } from "./answer.ts";
export type { BytesCondition } from "./conditions.ts";
export {
  type CompactRange,
  decodeCompact,
  decodeResult,
  encodeCompact,
  encodeEmpty,
  encodeResult,
} from "./control.ts";
export { COUNTER_BYTES, decodeCounter, encodeCounter } from "./counter.ts";
export type { DurabilityChoice } from "./durability.ts";
export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetails,
  errorCodeOf,
  VarveError,
} from "./errors.ts";
export { decodeError, encodeError } from "./failure.ts";
export type { FlagFields } from "./flag-fields.ts";
export {
  decodeEmpty,
  FRAME_HEADER_BYTES,
  type Frame,
  HANDSHAKE_FRAME_BYTES_MAX,
  readU32,
} from "./frame.ts";
export { FrameDecoder } from "./frame-decoder.ts";
export { FrameWriter } from "./frame-writer.ts";
export {
  chooseVersion,
  decodeHello,
  decodeWelcome,
  encodeHello,
  encodeWelcome,
  type Hello,
  type Limits,
  type Welcome,
} from "./handshake.ts";
export {
  decodeHistory,
  decodeHistoryData,
  encodeHistory,
  encodeHistoryData,
} from "./history.ts";
export {
  decodeIngestBegin,
  decodeIngestData,
  decodeIngestReady,
  encodeIngestBegin,
  encodeIngestReady,
  IngestDataWriter,
} from "./ingests.ts";
export {
  hasBounds,
  KEYSPACE_ID_MAX,
  KeyMapping,
  keyspaceEnd,
  keyspaceOf,
  keyspaceStart,
  mappingOf,
  NO_KEYSPACE,
  prefixBytesOf,
  registerKeyspace,
  SYSTEM_KEYSPACE,
} from "./keyspace-keys.ts";
export { toStoredConditions, toStoredOperations } from "./keyspace-requests.ts";
export {
  CODECS,
  type CodecName,
  checkKeyspaceChanges,
  checkKeyspaceName,
  checkKeyspaceOptions,
  type KeyspaceChanges,
  type KeyspaceInfo,
  type KeyspaceOptions,
  type KeyspaceSettings,
  settingsIn,
} from "./keyspace-settings.ts";
export {
  decodeKeyspaceAlter,
  decodeKeyspaceDrop,
  decodeKeyspaceOpen,
  decodeKeyspaceOpened,
  encodeKeyspaceAlter,
  encodeKeyspaceDrop,
  encodeKeyspaceOpen,
  encodeKeyspaceOpened,
  type KeyspaceHandle,
} from "./keyspaces.ts";
export {
  CONNECTION_REQUEST_ID,
  DEFAULT_PORT,
  FEATURES,
  OPCODE,
  type Opcode,
  type OpcodeName,
  opcodeNameOf,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
  unexpectedOpcode,
} from "./opcodes.ts";
export type { BytesOperation } from "./operations.ts";
export {
  decodeCount,
  decodeCounted,
  decodePage,
  decodePageData,
  encodeCount,
  encodeCounted,
  encodePage,
  encodePageData,
} from "./pages.ts";
export { drainPairs, type PairSink, Stop } from "./pairs.ts";
export {
  type BytesRange,
  type DeleteRangeRequest,
  decodeDeleteRange,
  encodeDeleteRange,
} from "./ranges.ts";
export {
  decodeEntry,
  decodeGet,
  decodeGetMany,
  decodeValue,
  decodeValues,
  encodeAbsent,
  encodeEntry,
  encodeGet,
  encodeGetEntry,
  encodeGetMany,
  encodeValue,
  encodeValues,
} from "./reads.ts";
export { decodeRequest, encodeRequest, type Request } from "./request.ts";
export { type ReadAt, type RequestScope, takeScope } from "./request-scope.ts";
export {
  decodeScan,
  decodeScanCredit,
  decodeScanData,
  decodeScanEnd,
  decodeScanSeek,
  decodeScanSought,
  encodeScan,
  encodeScanCredit,
  encodeScanData,
  encodeScanEnd,
  encodeScanSeek,
  encodeScanSought,
  SCAN_DATA_HEADER_BYTES,
  type ScanRequest,
  scanEntryBytes,
} from "./scans.ts";
export {
  decodeSnapshotHandle,
  decodeSnapshotOpened,
  encodeSnapshotHandle,
  encodeSnapshotOpened,
  type SnapshotInfo,
  type SnapshotLease,
} from "./snapshots.ts";
export {
  type BatchOptions,
  type Commit,
  type CommitEvent,
  type Condition,
  type CountOptions,
  type Data,
  type DeleteOptions,
  DURABILITIES,
  type Durability,
  type Entry,
  type EntryRecord,
  type Expiry,
  type FeedOperation,
  type HistoryOptions,
  type Incremented,
  type IngestEvent,
  type IngestOptions,
  type KeyCondition,
  type KeyedStore,
  type KeyRange,
  type Keyspace,
  type KeyVersion,
  MERGE_OPERATORS,
  type MergeOperator,
  type Operand,
  type Operation,
  type Page,
  type PageOptions,
  type PageReader,
  type Pair,
  type Pairs,
  type ProgressEvent,
  type PutOptions,
  type Reader,
  type ReadOptions,
  type Scan,
  type ScanOptions,
  type SeekableScan,
  type Snapshot,
  type Store,
  type Transaction,
  type TransactionOptions,
  type UnchangedCondition,
  type Watch,
  type WatchEvent,
  type WatchOptions,
  type WriteCondition,
  type WriteOptions,
} from "./store.ts";
export { runTransaction } from "./transaction.ts";
export {
  decodeExpire,
  decodeIncrement,
  decodeIncremented,
  decodeMerge,
  type ExpireRequest,
  encodeExpire,
  encodeIncrement,
  encodeIncremented,
  encodeMerge,
  type IncrementRequest,
  type MergeRequest,
} from "./updates.ts";
export {
  COMMIT_PART_HEADER_BYTES,
  decodeWatch,
  decodeWatchCredit,
  decodeWatchData,
  encodeWatch,
  encodeWatchCredit,
  encodeWatchData,
  feedOperationBytesMax,
  WATCH_DATA_HEADER_BYTES,
  type WatchPart,
  type WatchRequest,
} from "./watches.ts";
export {
  type BatchRequest,
  type DeleteRequest,
  decodeBatch,
  decodeCommitted,
  decodeDelete,
  decodePut,
  encodeBatch,
  encodeCommitted,
  encodeDelete,
  encodePut,
  type PutRequest,
} from "./writes.ts";
