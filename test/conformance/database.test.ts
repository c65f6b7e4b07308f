import { Database } from "../../src/engine/database.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";
import { storeConformance } from "./store-conformance.ts";

storeConformance("Database", async () => {
  const fs = new MemoryFileSystem();
  const db = await Database.open("/db", { fs, background: "inline" });
  return { store: db, dispose: () => db.close() };
});

storeConformance("Database with tiny memtables and tables", async () => {
  const fs = new MemoryFileSystem();
  const db = await Database.open("/db", { ...TINY_SETTINGS, fs, background: "inline" });
  return { store: db, dispose: () => db.close() };
});
