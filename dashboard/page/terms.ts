/** What the words on the page mean, for whoever does not work with such trees every day. */

export const TERMS = {
  tree: "The data lies in sorted, unchangeable files, called tables. New data comes in at the top and sinks from level to level as tables are merged.",
  memtable:
    "Newest writes, sorted in memory. When it is full it is written out as a table of level 0. Its writes are safe already: they are in the log.",
  level:
    "Level 0 has tables as they were flushed, which overlap. In the levels below, tables divide the keys among them, and each level may hold more than the one above.",
  table:
    "An immutable file of sorted entries. Drawn as a brick: as wide as the range of its keys, as thick as it has bytes.",
  flush: "A full memtable is written to the disk as tables of level 0.",
  compaction:
    "Tables of two levels are merged into new ones of the lower level; versions that nothing needs any more are dropped.",
  throughput: "Operations that were answered each second, through all doors.",
  percentile:
    "p99 is the time within which 99 of 100 operations were answered; p50 is the middle one, p99.9 the slowest of a thousand.",
  budget: "The most memory that memtables, open tables and cached blocks may take together.",
  memtables: "Writes that are in no table yet.",
  tables: "Indexes and filters of the tables that are open.",
  blocks: "Parts of tables that were read lately, kept so that they need not be read again.",
  ingest: "A bulk load that is coming in; beside the budget.",
  writeAmplification:
    "Bytes written to the disk, by log, flush and compaction, for each byte that was given, over the last minute.",
  spaceAmplification:
    "Bytes on the disk for each byte of live data; more than 1× because old versions and deleted keys wait to be dropped.",
  cacheHitRate: "How many of the blocks that reads asked for were in memory.",
  filterHitRate:
    "Of the tables that did not have a key, how many were known not to have it without reading them.",
  delays:
    "Writes that had to wait because flush and compaction fell behind. Waiting in small steps now spares a halt later.",
  delayMemtables: "Waited because memtables filled up faster than they were flushed.",
  delayLevel0: "Waited because level 0 has many tables, which makes reads slow.",
  delayDebt: "Waited because of compaction debt.",
  refused: "Writes that were turned away to be tried again later.",
  debt: "Bytes that levels have above their targets: the work that compaction has still to do.",
  writing: "Bytes given by clients, and what the database writes for them, each second.",
  userBytes: "Keys and values as clients gave them.",
  logBytes: "Every write goes to the log first, so that it survives a crash.",
  loopDelay:
    "How late the server's one main thread came to its work; p99 of each second. High means that it is too busy.",
  slow: "The last operations that took longer than the threshold.",
  inFlight: "Requests that have come in and are not answered yet.",
  version: "How often the key was written since it came into being.",
  etag: "A mark of this very value. An edit is made only if the mark is still the same.",
} as const;

export type Term = keyof typeof TERMS;
