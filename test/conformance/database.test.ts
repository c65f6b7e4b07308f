import { Database } from "../../src/engine/database.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";
import { feedConformance } from "./feed-conformance.ts";
import { ingestConformance } from "./ingest-conformance.ts";
import { keyspaceConformance } from "./keyspace-conformance.ts";
import { inKeyspace, type OpenStore } from "./opened-store.ts";
import { pageConformance } from "./page-conformance.ts";
import { pastConformance } from "./past-conformance.ts";
import { seekConformance } from "./seek-conformance.ts";
import { snapshotConformance } from "./snapshot-conformance.ts";
import { storeConformance } from "./store-conformance.ts";
import { transactionConformance } from "./transaction-conformance.ts";
import { unchangedConformance } from "./unchanged-conformance.ts";
import { writeConformance } from "./write-conformance.ts";

const open: OpenStore = async () => {
  const fs = new MemoryFileSystem();
  const db = await Database.open("/db", { fs, background: "inline" });
  return { store: db, dispose: () => db.close() };
};

const openTiny: OpenStore = async () => {
  const fs = new MemoryFileSystem();
  const db = await Database.open("/db", { ...TINY_SETTINGS, fs, background: "inline" });
  return { store: db, dispose: () => db.close() };
};

storeConformance("Database", open);
writeConformance("Database", open);
feedConformance("Database", open);
pageConformance("Database", open);
seekConformance("Database", open);
pastConformance("Database", open);
ingestConformance("Database", open);
storeConformance("Database with tiny memtables and tables", openTiny);
writeConformance("Database with tiny memtables and tables", openTiny);
feedConformance("Database with tiny memtables and tables", openTiny);
snapshotConformance("Database", open);
unchangedConformance("Database", open);
transactionConformance("Database", open);
storeConformance("Database with tiny memtables and tables", openTiny);
writeConformance("Database with tiny memtables and tables", openTiny);
snapshotConformance("Database with tiny memtables and tables", openTiny);
unchangedConformance("Database with tiny memtables and tables", openTiny);
transactionConformance("Database with tiny memtables and tables", openTiny);
keyspaceConformance("Database", open);
keyspaceConformance("Database with tiny memtables and tables", openTiny);

const openKeyspace = inKeyspace(open);
storeConformance("keyspace of a Database", openKeyspace);
writeConformance("keyspace of a Database", openKeyspace);
feedConformance("keyspace of a Database", openKeyspace);
pageConformance("keyspace of a Database", openKeyspace);
seekConformance("keyspace of a Database", openKeyspace);
pastConformance("keyspace of a Database", openKeyspace);
ingestConformance("keyspace of a Database", openKeyspace);
snapshotConformance("keyspace of a Database", openKeyspace);
unchangedConformance("keyspace of a Database", openKeyspace);
transactionConformance("keyspace of a Database", openKeyspace);
