/** What callers ask for, whichever door they come through. */
export const OPERATIONS = [
  "get",
  "getEntry",
  "getMany",
  "put",
  "delete",
  "deleteRange",
  "batch",
  "merge",
  "increment",
  "expire",
  "scan",
  "page",
  "count",
  "history",
  "watch",
  "ingest",
  "admin",
] as const;
export type OperationName = (typeof OPERATIONS)[number];

export const DOORS = ["tcp", "http"] as const;
export type Door = (typeof DOORS)[number];
