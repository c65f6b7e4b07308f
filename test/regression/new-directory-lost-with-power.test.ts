/** A new database's directory was made, but its own name not synced: with it, power took all that was in it. */
import { expect, test } from "vitest";
import { toBytes } from "../../src/bytes/data.ts";
import { Database } from "../../src/engine/database.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { seeds } from "../support/random.ts";

test.each(seeds(10))(
  "a new database survives power loss with its directory (seed %i)",
  async (seed) => {
    const fs = new MemoryFileSystem();
    const db = await Database.open("/made/for/db", { fs, background: "inline" });
    await db.put("key", "value", { durability: "always" });

    const image = fs.crashImage(seed);
    await using found = await Database.open("/made/for/db", { fs: image, background: "inline" });
    expect(await found.get("key")).toEqual(toBytes("value"));
  },
);

test.each(seeds(10))(
  "even if the first open was killed when it had made it (seed %i)",
  async (seed) => {
    const killed = new MemoryFileSystem();
    killed.onOperation = (kind) => {
      if (kind === "list") throw new Error("killed");
    };
    await expect(Database.open("/db", { fs: killed, background: "inline" })).rejects.toThrow();

    const fs = killed.killImage();
    const db = await Database.open("/db", { fs, background: "inline" });
    await db.put("key", "value", { durability: "always" });
    const image = fs.crashImage(seed);
    await using found = await Database.open("/db", { fs: image, background: "inline" });
    expect(await found.get("key")).toEqual(toBytes("value"));
  },
);
