/** What is taken and what is answered: the one place behind validation, types and the OpenAPI document. */
import { type Static, type TSchema, Type } from "typebox";
import { DURABILITIES } from "../store.ts";
import { ENCODINGS } from "./entry-json.ts";

export const PAGE_LIMIT = 100;
export const PAGE_LIMIT_MAX = 1000;

function enumOf<Name extends string>(names: readonly Name[], description: string) {
  return Type.Unsafe<Name>(Type.String({ enum: [...names], description }));
}

const Keyspace = Type.String({
  description:
    "The keyspace whose keys are meant; the store's own keys without it. It is not created.",
  examples: ["orders"],
});
const Encoding = enumOf(
  ENCODINGS,
  "How values are to be written: as text, as the JSON documents that they are, or as base64. A value that cannot be " +
    "written so is text if it is UTF-8, else base64, and `encoding` says which.",
);
const Durability = enumOf(
  DURABILITIES,
  "When the write is answered: when it is on the disk (always), or with the operating system (interval, none).",
);
const Ttl = Type.String({
  description: "When the entry expires: after so many seconds, or a time with ms, s, m, h or d.",
  pattern: "^\\d+(\\.\\d+)?(ms|s|m|h|d)?$",
  examples: ["90", "10m"],
});
const KeyText = Type.String({
  description: "The key; its UTF-8 bytes are.",
  examples: ["user123"],
});
const KeyEncoding = enumOf(["base64"], "That the key, which is not UTF-8, is written as base64.");
const Time = (description: string) =>
  Type.String({ format: "date-time", description, examples: ["2026-01-31T12:00:00.000Z"] });

const strict = { additionalProperties: false };

export const ReadQuery = Type.Object(
  { keyspace: Type.Optional(Keyspace), encoding: Type.Optional(Encoding) },
  strict,
);
export type ReadQuery = Static<typeof ReadQuery>;

export const PutQuery = Type.Object(
  {
    keyspace: Type.Optional(Keyspace),
    ttl: Type.Optional(Ttl),
    durability: Type.Optional(Durability),
    encoding: Type.Optional(Encoding),
  },
  strict,
);
export type PutQuery = Static<typeof PutQuery>;

export const DeleteQuery = Type.Object(
  { keyspace: Type.Optional(Keyspace), durability: Type.Optional(Durability) },
  strict,
);
export type DeleteQuery = Static<typeof DeleteQuery>;

const bounds = {
  keyspace: Type.Optional(Keyspace),
  start: Type.Optional(
    Type.String({ description: "The first key of the range, included.", examples: ["user100"] }),
  ),
  end: Type.Optional(
    Type.String({ description: "The last key of the range, included.", examples: ["user200"] }),
  ),
  prefix: Type.Optional(
    Type.String({ description: "Only keys that start with it.", examples: ["user"] }),
  ),
};

export const RangeQuery = Type.Object(
  {
    ...bounds,
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: `How many entries at most: of a page ${PAGE_LIMIT} unless given, and up to ${PAGE_LIMIT_MAX}; of a stream any number, and all unless given.`,
        examples: [10],
      }),
    ),
    cursor: Type.Optional(
      Type.String({ description: "Of the page before, for the page that follows it." }),
    ),
    reverse: Type.Optional(Type.Boolean({ description: "From the last key to the first." })),
    keys_only: Type.Optional(Type.Boolean({ description: "Entries without their values." })),
    encoding: Type.Optional(Encoding),
  },
  strict,
);
export type RangeQuery = Static<typeof RangeQuery>;

export const ChangesQuery = Type.Object(
  {
    ...bounds,
    since: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          "The sequence behind which to begin, as an ETag or an event's id has it; unless given, changes begin with " +
          "what is committed next. `Last-Event-ID` goes before it.",
      }),
    ),
    encoding: Type.Optional(Encoding),
  },
  strict,
);
export type ChangesQuery = Static<typeof ChangesQuery>;

const Value = Type.Unknown({
  description:
    "A string, whose UTF-8 is stored; with encoding json any JSON document, which is stored as its text; with " +
    "encoding base64 the bytes' base64.",
});

export const PutBody = Type.Object(
  { value: Value, encoding: Type.Optional(Encoding) },
  { ...strict, examples: [{ value: "42" }, { value: { name: "Ada" }, encoding: "json" }] },
);
export type PutBody = Static<typeof PutBody>;

const BatchItem = Type.Object(
  {
    key: KeyText,
    key_encoding: Type.Optional(KeyEncoding),
    value: Type.Optional(Value),
    encoding: Type.Optional(Encoding),
    ttl: Type.Optional(Type.Union([Type.Number({ exclusiveMinimum: 0 }), Ttl])),
    delete: Type.Optional(
      Type.Boolean({ description: "Deletes the key; then there is no value." }),
    ),
  },
  strict,
);
export type BatchItem = Static<typeof BatchItem>;

export const BatchBody = Type.Object(
  {
    items: Type.Array(BatchItem, {
      description: "All are done or none; a later one on the same key wins.",
    }),
  },
  {
    ...strict,
    examples: [
      {
        items: [
          { key: "foo", value: "bar" },
          { key: "baz", value: "qux" },
        ],
      },
      { items: [{ key: "foo", delete: true }] },
    ],
  },
);
export type BatchBody = Static<typeof BatchBody>;

const entryFields = {
  key: KeyText,
  key_encoding: Type.Optional(KeyEncoding),
  version: Type.Integer({
    minimum: 1,
    description: "How often the key was written since it came into being: 1, 2, 3, …",
    examples: [1],
  }),
  created_at: Time("When the key came into being."),
  updated_at: Time("When the value was written."),
  expires_at: Type.Optional(Time("When the entry expires, where it does.")),
};

export const Entry = Type.Object(
  {
    ...entryFields,
    value: Type.Unknown({
      description: "A string; a JSON document where `encoding` is json.",
      examples: ["42"],
    }),
    encoding: Type.Optional(
      enumOf(["json", "base64"], "How the value is written, where it is not as text."),
    ),
  },
  { ...strict, title: "Entry" },
);

const KeyEntry = Type.Object(entryFields, {
  ...strict,
  title: "Entry without its value",
});

export const PageAnswer = Type.Object(
  {
    items: Type.Array(Type.Union([Entry, KeyEntry])),
    cursor: Type.Union([Type.String(), Type.Null()], {
      description:
        "For the page that follows; null at the end. A page may have fewer items than asked for, none even, and a cursor.",
    }),
  },
  { ...strict, title: "Page" },
);

export const BatchAnswer = Type.Object(
  {
    items: Type.Array(
      Type.Union([
        Entry,
        Type.Object(
          {
            key: KeyText,
            key_encoding: Type.Optional(KeyEncoding),
            deleted: Type.Literal(true),
          },
          { ...strict, title: "What was deleted" },
        ),
      ]),
    ),
  },
  { ...strict, title: "What a batch did" },
);

export const ProblemAnswer = Type.Object(
  {
    type: Type.String({ examples: ["urn:varve:error:not-found"] }),
    title: Type.String({ examples: ["There is nothing here"] }),
    status: Type.Integer({ examples: [404] }),
    detail: Type.String({ description: "For people; it may change." }),
    code: Type.String({ description: "For programs; it is stable.", examples: ["NOT_FOUND"] }),
    retry_after_ms: Type.Optional(Type.Integer()),
    maybe_applied: Type.Optional(
      Type.Boolean({ description: "The write may have been made: read before writing again." }),
    ),
    key: Type.Optional(Type.String()),
    key_encoding: Type.Optional(KeyEncoding),
    sequence: Type.Optional(
      Type.Integer({
        description:
          "Of a condition that did not hold: that of the present entry, which is its ETag. Of a past that is gone: the " +
          "oldest that can be asked for.",
      }),
    ),
    reasons: Type.Optional(Type.Array(Type.String())),
  },
  { ...strict, title: "Problem" },
);

export const HealthAnswer = Type.Object(
  { status: Type.Literal("ok"), version: Type.String() },
  { ...strict, title: "Health" },
);

export const ReadyAnswer = Type.Object(
  { status: Type.Literal("ready") },
  { ...strict, title: "Readiness" },
);

const PROBLEMS: Readonly<Record<number, string>> = {
  400: "The request is not as it should be",
  401: "A token is needed",
  403: "The token, or the server, does not allow it",
  404: "There is no such entry or keyspace",
  406: "Nothing that is accepted can be answered",
  409: "Others were faster each time",
  410: "The past asked for is gone",
  412: "A condition does not hold",
  413: "The body is too long",
  415: "A body of this kind is not taken",
  429: "More is asked than can be done; Retry-After says when to try again",
  503: "Nothing can be done now",
  507: "The disk is full",
};

/** The problems that a route answers with, for its `response` schema. */
export function problems(...statuses: number[]): Record<number, TSchema> {
  return Object.fromEntries(
    [...new Set([400, 401, 403, 429, 503, ...statuses])].map((status) => [
      status,
      {
        description: PROBLEMS[status] ?? "",
        content: { "application/problem+json": { schema: ProblemAnswer } },
      } as unknown as TSchema,
    ]),
  );
}

/** An answer in one or more kinds of content. */
export function answer(description: string, content: Record<string, TSchema>): TSchema {
  const kinds = Object.entries(content).map(([type, schema]) => [type, { schema }]);
  return { description, content: Object.fromEntries(kinds) } as unknown as TSchema;
}

/** An answer without a body. */
export function empty(description: string): TSchema {
  return { description, type: "null" } as unknown as TSchema;
}
