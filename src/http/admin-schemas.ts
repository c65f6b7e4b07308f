/** What the admin routes answer: the one place behind types, serialization and the OpenAPI document. */
import { type TSchema, Type } from "typebox";

const Count = (description: string) => Type.Integer({ minimum: 0, description });
const Bytes = (description: string) => Type.Number({ minimum: 0, description });
const Time = (description: string) =>
  Type.Integer({ description: `${description} Milliseconds since 1970.` });
const OrNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const Share = (description: string) => OrNull(Type.Number({ minimum: 0, maximum: 1, description }));

const DOOR = Type.String({ enum: ["tcp", "http"] });

export const SamplesQuery = Type.Object(
  {
    after: Type.Optional(
      Type.Number({ description: "Samples newer than this alone. Milliseconds since 1970." }),
    ),
  },
  { additionalProperties: false },
);

const OperationSample = Type.Object({
  rate: Type.Number({ description: "Per second." }),
  errors: Type.Number({ description: "Per second." }),
  p50: Type.Number({ description: "Microseconds, within 3 %." }),
  p99: Type.Number(),
  p999: Type.Number(),
});

const Sample = Type.Object({
  time: Time("The end of the second."),
  operations: Type.Record(Type.String(), OperationSample, {
    description: "By operation: those that happened in this second.",
  }),
  bytes_in: Bytes("Received per second, through all doors."),
  bytes_out: Bytes("Sent per second, through all doors."),
  memory: Type.Object({
    budget: Bytes("What memtables, tables and blocks may take together."),
    memtables: Bytes("Of memtables."),
    tables: Bytes("Of the open tables' indexes and filters."),
    blocks: Bytes("Of the block cache."),
    ingest: Bytes("Of an ingest that is running; beside the budget."),
    resident: Bytes("Of the process."),
  }),
  write_amplification: Type.Number({
    description: "Bytes written for each byte given, over the last minute; 0 where none was given.",
  }),
  space_amplification: Type.Number({
    description: "Bytes of all tables over those that are alive, an estimate; 0 without tables.",
  }),
  cache_hit_rate: Share("Of block reads, those found in memory; null where there were none."),
  filter_hit_rate: Share("Of tables without the key, those that a filter spared."),
  delays: Type.Object(
    {
      memtables: Count("Writes that waited since memtables wait for flush."),
      level0: Count("Writes that waited since level 0 has many tables."),
      debt: Count("Writes that waited since compaction is behind."),
      delayed_ms: Type.Number({ description: "How long, all together." }),
      refused: Count("Writes that were refused as OVERLOADED."),
    },
    { description: "In this second." },
  ),
  debt_bytes: Bytes("That compaction has still to move."),
  bytes_per_second: OrNull(Bytes("That writes are held to; null for no limit.")),
  user_bytes: Bytes("Keys and values that were given in this second."),
  log_bytes: Bytes("Written to the log in this second."),
  flush_bytes: Bytes("Of flushes that ended in this second."),
  compaction_bytes: Bytes("Of compactions that ended in this second."),
  syncs: Count("Of the log, in this second."),
  loop_delay_p99_ms: Type.Number({ description: "Of the event loop, in this second." }),
  connections: Type.Object({ tcp: Count("Open now."), http: Count("Open now.") }),
});

export const Samples = Type.Object({
  interval_ms: Type.Integer(),
  samples: Type.Array(Sample, { description: "Oldest first; of the last ten minutes." }),
});

const Brick = Type.Object({
  number: Type.Integer({ description: "Of the table's file; of the first, where they are more." }),
  bytes: Bytes("Of the files."),
  entries: Count("Tombstones and hidden versions included."),
  tombstones: Count("Of these."),
  smallest: Type.String({ description: "The first key, for people." }),
  largest: Type.String({ description: "The last key, for people." }),
  x0: Type.Number({ description: "Where the key range begins, from 0 to 1." }),
  x1: Type.Number({ description: "Where it ends." }),
  count: Type.Integer({ description: "Neighbours that are drawn as one." }),
});

const taskFields = {
  id: Type.Integer(),
  kind: Type.String({ enum: ["flush", "compaction", "ingest", "move"] }),
  source_level: OrNull(Type.Integer({ description: "null where it comes from above the levels." })),
  target_level: Type.Integer(),
};

export const Tree = Type.Object({
  version: Type.Integer({ description: "Another one where the levels are others." }),
  levels: Type.Array(
    Type.Object({
      level: Type.Integer(),
      bytes: Bytes("Of all tables."),
      target_bytes: OrNull(Bytes("What the level should have at most; null for level 0.")),
      tables: Type.Array(Brick, { description: "By key; in level 0 newest first." }),
      tables_total: Count("Tables, of which neighbours may be drawn as one."),
    }),
  ),
  memtables: Type.Object({
    active: Type.Object({
      entries: Count("Versions."),
      bytes: Bytes("Of the capacity."),
      capacity: Bytes("It is full a little before."),
    }),
    waiting: Count("Full ones that wait for flush."),
  }),
  running: Type.Array(
    Type.Object({
      ...taskFields,
      tables: Type.Array(Type.Integer(), { description: "Numbers of those that it works on." }),
      bytes_total: Bytes("That come in."),
      bytes_done: Bytes("Of these, what is worked off, about."),
      started_at: Time("When it began."),
      x0: OrNull(Type.Number({ description: "What its tables span; null without any." })),
      x1: OrNull(Type.Number()),
    }),
  ),
  recent: Type.Array(
    Type.Object({
      ...taskFields,
      bytes: Bytes("Of the tables that it made or moved."),
      ended_at: Time("When they were there."),
      duration_ms: Type.Integer(),
    }),
    { description: "The last 20 that ended well, oldest first." },
  ),
});

export const Slow = Type.Object({
  threshold_ms: Type.Number({ description: "What takes as long is slow." }),
  operations: Type.Array(
    Type.Object({
      time: Time("When it was answered."),
      door: DOOR,
      operation: Type.String(),
      key: OrNull(Type.String({ description: "For people; null where none was kept." })),
      duration_ms: Type.Number(),
      error: Type.Boolean(),
    }),
    { description: "The last hundred, newest first." },
  ),
});

export const Connections = Type.Object({
  tcp: Type.Array(
    Type.Object({
      id: Type.Integer(),
      peer: Type.String({ description: "Address and port." }),
      client: Type.String({ description: "As it names itself." }),
      since: Time("When it was accepted."),
      in_flight: Count("Requests without their final answer, scans and watches included."),
      scans: Count("Open now."),
      watches: Count("Open now."),
      bytes_in: Bytes("Received."),
      bytes_out: Bytes("Sent."),
    }),
    { description: "Those with the most traffic, at most 200." },
  ),
  tcp_total: Count("Open now."),
  http_total: Count("Open now."),
});

const plainNumbers = { additionalProperties: true };

export const Stats = Type.Object({
  time: Time("Now."),
  version: Type.String({ description: "Of the server." }),
  uptime_ms: Type.Number(),
  access: Type.Object({
    role: Type.String({ enum: ["read", "write"], description: "Of who asks." }),
    read_only: Type.Boolean({ description: "Nobody may write." }),
  }),
  store: Type.Object({}, { ...plainNumbers, description: "What the engine counts, by part." }),
  tcp: Type.Object({}, { ...plainNumbers, description: "What the TCP door counts." }),
  http: Type.Object({}, { ...plainNumbers, description: "What the HTTP door counts." }),
  process: Type.Object({
    resident_bytes: Bytes("Memory of the process."),
    heap_used_bytes: Bytes("Of JavaScript's objects."),
    cpu_share: Type.Number({
      description: "Processors used in the last second: 1 is one of them.",
    }),
  }),
  loop_delay: Type.Object(
    { p50_ms: Type.Number(), p99_ms: Type.Number(), max_ms: Type.Number() },
    { description: "Of the event loop, in the last second." },
  ),
});
