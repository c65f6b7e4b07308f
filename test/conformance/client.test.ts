import { pino } from "pino";
import { connect } from "varve-client";
import { Database } from "../../src/engine/database.ts";
import { Server } from "../../src/server/server.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
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
  const database = await Database.open("/db", { fs, background: "inline" });
  const logger = pino({ level: "silent" });
  const storeLimits = database.limits;
  const server = new Server({ store: database.stored, storeLimits, version: "0.0.0", logger });
  const port = await server.listen(0, "127.0.0.1");
  const store = await connect(`varve://127.0.0.1:${port}`);
  return {
    store,
    dispose: async () => {
      await store.close();
      await server.close();
      await database.close();
    },
  };
};

storeConformance("client over TCP", open);
writeConformance("client over TCP", open);
feedConformance("client over TCP", open);
pageConformance("client over TCP", open);
seekConformance("client over TCP", open);
pastConformance("client over TCP", open);
snapshotConformance("client over TCP", open);
unchangedConformance("client over TCP", open);
transactionConformance("client over TCP", open);
ingestConformance("client over TCP", open);
keyspaceConformance("client over TCP", open);

const openKeyspace = inKeyspace(open);
storeConformance("keyspace over TCP", openKeyspace);
writeConformance("keyspace over TCP", openKeyspace);
feedConformance("keyspace over TCP", openKeyspace);
pageConformance("keyspace over TCP", openKeyspace);
seekConformance("keyspace over TCP", openKeyspace);
pastConformance("keyspace over TCP", openKeyspace);
ingestConformance("keyspace over TCP", openKeyspace);
snapshotConformance("keyspace over TCP", openKeyspace);
unchangedConformance("keyspace over TCP", openKeyspace);
transactionConformance("keyspace over TCP", openKeyspace);
