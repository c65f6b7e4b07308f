/** Every message as a fast-check arbitrary. */
import fc from "fast-check";
import {
  type Answer,
  DURABILITIES,
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetails,
  MERGE_OPERATORS,
  type Request,
  VarveError,
} from "varve-protocol";

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u53 = fc.maxSafeNat();
const bytes = fc.uint8Array({ maxLength: 40 });
const name = fc.string({ unit: "grapheme", maxLength: 12 });
const durability = fc.constantFrom(undefined, ...DURABILITIES);
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

/** The object without its undefined fields, which is how decoders leave fields out. */
function compact<Fields extends object>(fields: Fields): Fields {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Fields;
}

const ttl = fc.record({ ttlMs: u53 });
const expiresAt = fc.record({ expiresAt: u53 });
const expiry = fc.oneof(ttl, expiresAt);
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const operator = fc.constantFrom(...MERGE_OPERATORS);

const deletedRange = fc
  .record({
    gte: optional(bytes),
    gt: optional(bytes),
    lt: optional(bytes),
    lte: optional(bytes),
    prefix: optional(bytes),
  })
  .map(compact);

const condition = fc.oneof(
  fc.record({ key: bytes, absent: fc.constant(true as const) }),
  fc.record({ key: bytes, present: fc.constant(true as const) }),
  fc.record({ key: bytes, sequence: u53 }),
  fc.record({ key: bytes, unchangedSince: u53 }),
  fc.record({ key: bytes, unchangedSince: u53, present: fc.constant(true as const) }),
  fc.record({ range: deletedRange, unchangedSince: u53 }),
);
const conditions = optional(fc.array(condition, { minLength: 1, maxLength: 4 }));

const put = fc.record({ type: fc.constant("put" as const), key: bytes, value: bytes });
const operation = fc.oneof(
  deletedRange.map((bounds) => ({ type: "deleteRange" as const, ...bounds })),
  put,
  fc.tuple(put, expiry).map(([operation, when]) => ({ ...operation, ...when })),
  fc.record({ type: fc.constant("delete" as const), key: bytes }),
  fc.record({ type: fc.constant("merge" as const), operator, key: bytes, operand: bytes }),
);

const scanOptions = fc
  .record({
    reverse: fc.boolean(),
    keysOnly: fc.boolean(),
    seekable: optional(fc.constant(true)),
    limit: optional(u53),
    limitBytes: optional(u53),
    gte: optional(bytes),
    gt: optional(bytes),
    lt: optional(bytes),
    lte: optional(bytes),
    prefix: optional(bytes),
  })
  .map(compact);

const at = fc.option(fc.oneof(fc.record({ snapshot: u53 }), fc.record({ sequence: u53 })), {
  nil: undefined,
});

const range = fc.record({ gte: optional(bytes), lte: optional(bytes) }).map(compact);

const kind = <Kind extends string>(value: Kind) => fc.constant(value);

export const requests = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      "PING",
      "CANCEL",
      "STATS",
      "FLUSH",
      "VERIFY",
      "SNAPSHOT",
      "SNAPSHOTS_LIST",
    ),
  }),
  fc
    .record({
      kind: kind("HELLO"),
      versionMin: u16,
      versionMax: u16,
      features: u32,
      frameBytesMax: u32,
      clientName: name,
    })
    .filter((hello) => hello.versionMin <= hello.versionMax),
  fc.record({ kind: kind("GET"), key: bytes, at }),
  fc.record({ kind: kind("GET_ENTRY"), key: bytes, at }),
  fc
    .record({ options: scanOptions, cursor: fc.uint8Array({ minLength: 1, maxLength: 20 }), at })
    .map(({ options, cursor, at }) => ({ kind: "PAGE", options: { ...options, cursor }, at })),
  fc.record({ kind: kind("PAGE"), options: scanOptions, at }),
  fc.record({ kind: kind("COUNT"), range: deletedRange, at }),
  fc.record({ kind: kind("HISTORY"), key: bytes }),
  fc.record({ kind: kind("HISTORY"), key: bytes, limit: fc.integer({ min: 1, max: 2 ** 32 - 1 }) }),
  fc.record({ kind: kind("GET_MANY"), keys: fc.array(bytes), at }),
  fc.record({
    kind: kind("PUT"),
    durability,
    key: bytes,
    value: bytes,
    conditions,
    expiry: optional(expiry),
  }),
  fc.record({ kind: kind("DELETE"), durability, key: bytes, conditions }),
  fc.record({ kind: kind("BATCH"), durability, operations: fc.array(operation), conditions }),
  fc.record({ kind: kind("DELETE_RANGE"), durability, range: deletedRange }),
  fc.record({ kind: kind("MERGE"), durability, operator, key: bytes, operand: bytes }),
  fc.record({ kind: kind("INCREMENT"), durability, delta: i64, key: bytes }),
  fc.record({ kind: kind("EXPIRE"), durability, expiry: optional(expiry), key: bytes }),
  fc.record({ kind: kind("SCAN"), credit: u32, options: scanOptions, at }),
  fc.record({ kind: kind("SCAN_CREDIT"), credit: u32 }),
  fc.record({ kind: kind("SCAN_SEEK"), key: bytes }),
  fc
    .record({
      kind: kind("WATCH"),
      credit: u32,
      since: optional(u53),
      heartbeatMs: optional(u32),
      range: deletedRange,
    })
    .map(compact),
  fc.record({ kind: kind("WATCH_CREDIT"), credit: u32 }),
  fc.record({
    kind: fc.constantFrom("SNAPSHOT_CLOSE", "SNAPSHOT_RENEW", "SNAPSHOT_KILL"),
    handle: u53,
  }),
  fc.record({ kind: kind("COMPACT"), range }),
) as fc.Arbitrary<Request>;

const errors = fc
  .record({
    code: fc.constantFrom(...(Object.keys(ERROR_CODES) as ErrorCode[])),
    message: name,
    retryable: fc.boolean(),
    maybeApplied: fc.boolean(),
    retryAfterMs: optional(fc.integer({ min: 0, max: 0xfffffffe })),
    sequence: optional(u53),
    conflict: optional(
      fc.record({ key: bytes, sequence: optional(fc.maxSafeNat().map((n) => Math.max(1, n))) }),
    ),
  })
  .map(({ code, message, conflict, sequence, ...details }) => {
    const all = compact({ ...details, ...(conflict ?? { sequence }) });
    return new VarveError(code, message, all as ErrorDetails);
  });

const feedOperation = fc.oneof(
  fc
    .record({
      type: fc.constant("put" as const),
      key: bytes,
      value: bytes,
      expiresAt: optional(u53),
    })
    .map(compact),
  fc
    .record({ type: fc.constant("delete" as const), key: bytes, expiresAt: optional(u53) })
    .map(compact),
  fc.record({ type: fc.constant("merge" as const), operator, key: bytes, operand: bytes }),
  fc
    .record({ type: fc.constant("deleteRange" as const), gte: bytes, lt: optional(bytes) })
    .map(compact),
);

const watchPart = fc.oneof(
  fc.record({ type: fc.constant("progress" as const), sequence: u53 }),
  fc
    .record({
      type: fc.constant("commit" as const),
      sequence: u53,
      firstSequence: u53,
      time: u53,
      operations: fc.array(feedOperation, { maxLength: 5 }),
      more: fc.constantFrom(undefined, true as const),
    })
    .map(compact),
);

const limits = fc.record({
  frameBytesMax: u32,
  keyBytesMax: u32,
  valueBytesMax: u32,
  batchBytesMax: u32,
  batchOperationsMax: u32,
  requestsInFlightMax: u32,
});

const result = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  name,
  fc.array(u53),
  fc.dictionary(
    fc.stringMatching(/^[a-z]{1,8}$/),
    // Not -0, which msgpack does not tell from 0.
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    { noNullPrototype: true },
  ),
);

export const answers = fc.oneof(
  fc.record({ kind: fc.constantFrom("PONG", "ABSENT", "SNAPSHOT_CLOSED") }),
  fc.record({
    kind: kind("WELCOME"),
    version: u16,
    features: u32,
    limits,
    serverName: name,
    serverVersion: name,
  }),
  fc.record({ kind: kind("ERROR"), error: errors }),
  fc.record({ kind: kind("VALUE"), value: bytes }),
  fc.record({ kind: kind("VALUES"), values: fc.array(optional(bytes)) }),
  fc.record({
    kind: kind("ENTRY"),
    entry: fc.record({
      value: bytes,
      sequence: u53,
      revision: u53,
      createdAt: u53,
      updatedAt: u53,
      expiresAt: optional(u53),
    }),
  }),
  fc.record({
    kind: kind("PAGE_DATA"),
    entries: fc.array(fc.tuple(bytes, bytes)),
    cursor: optional(fc.uint8Array({ minLength: 1, maxLength: 20 })),
  }),
  fc.record({ kind: kind("COUNTED"), count: u53 }),
  fc.record({
    kind: kind("HISTORY_DATA"),
    versions: fc.array(
      fc.record({
        sequence: u53,
        value: optional(bytes),
        updatedAt: optional(u53),
        expiresAt: optional(u53),
      }),
    ),
  }),
  fc.record({ kind: kind("SNAPSHOT_OPENED"), handle: u53, sequence: u53, leaseMs: u32 }),
  fc.record({ kind: kind("COMMITTED"), version: u53 }),
  fc.record({ kind: kind("INCREMENTED"), version: u53, value: i64 }),
  fc.record({ kind: kind("SCAN_DATA"), entries: fc.array(fc.tuple(bytes, bytes)) }),
  fc.record({ kind: kind("SCAN_END"), count: u53 }),
  fc.record({ kind: kind("SCAN_SOUGHT"), seeks: u32 }),
  fc.record({ kind: kind("WATCH_DATA"), parts: fc.array(watchPart, { maxLength: 4 }) }),
  fc.record({ kind: kind("RESULT"), result }),
) as fc.Arbitrary<Answer>;

export const requestIds = fc.integer({ min: 1, max: 0xffffffff });

/** An error's fields, which `toEqual` would not compare. */
export function comparable(message: Request | Answer): unknown {
  if (message.kind !== "ERROR") return message;
  const { code, message: text, retryable, maybeApplied, retryAfterMs } = message.error;
  const { key, sequence } = message.error;
  return { kind: message.kind, code, text, retryable, maybeApplied, retryAfterMs, key, sequence };
}
