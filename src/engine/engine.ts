/** The parts of an open database, as `openEngine` puts them together, and how they are taken apart again. */

import { VarveError } from "../errors.ts";
import type { Clock } from "../fs/clock.ts";
import type { FileSystem, Lock } from "../fs/file-system.ts";
import type { Log } from "../log/log.ts";
import type { Settings } from "../options.ts";
import type { Manifest } from "../version/manifest.ts";
import type { Admission } from "./admission.ts";
import type { CommitQueue } from "./commit-queue.ts";
import type { Feed } from "./feed.ts";
import type { IdleTidy } from "./idle-tidy.ts";
import type { Ingests } from "./ingests.ts";
import { KeyspaceAdmin } from "./keyspace-admin.ts";
import type { KeyspaceDirectory } from "./keyspace-directory.ts";
import type { LogRetirement } from "./log-retirement.ts";
import type { Maintenance } from "./maintenance.ts";
import type { Reads } from "./reads.ts";
import type { RecoveryStats } from "./recovery.ts";
import type { SnapshotList } from "./snapshot-list.ts";
import type { SpaceGuard } from "./space-guard.ts";
import type { TableFiles } from "./table-files.ts";
import type { Tree } from "./tree.ts";
import type { Limits } from "./validate.ts";
import { Writes } from "./writes.ts";

export interface EngineParts {
  readonly settings: Settings;
  readonly limits: Limits;
  readonly keyspaces: KeyspaceDirectory;
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly directory: string;
  readonly lock: Lock;
  readonly log: Pick<Log, "bytesWritten" | "syncs" | "close">;
  readonly manifest: Pick<Manifest, "close">;
  readonly tree: Tree;
  readonly files: Pick<TableFiles, "settled" | "remove" | "syncNames">;
  readonly commits: CommitQueue;
  readonly feed: Feed;
  readonly ingests: Pick<Ingests, "run" | "close" | "stats" | "memoryBytes" | "bytesWritten">;
  readonly retirement: Pick<LogRetirement, "close">;
  readonly admission: Admission;
  readonly maintenance: Maintenance;
  readonly reads: Reads;
  readonly snapshots: SnapshotList;
  readonly space: SpaceGuard;
  readonly idleTidy: Pick<IdleTidy, "close">;
  readonly recovery: RecoveryStats;
  /** Called last. */
  readonly onClosed: () => Promise<void>;
}

export interface Engine extends EngineParts {
  readonly writes: Writes;
  readonly keyspaceAdmin: KeyspaceAdmin;
  /** It takes no more calls. */
  readonly isClosing: boolean;
  /** In the order that loses nothing: writes in flight, background work, log, manifest, files, lock. Twice is fine. */
  close(): Promise<void>;
}

export function assembleEngine(parts: EngineParts): Engine {
  const writes = new Writes(parts);
  let closing: Promise<void> | undefined;
  const engine = {
    ...parts,
    writes,
    keyspaceAdmin: new KeyspaceAdmin(parts, () => {
      if (parts.commits.failure !== undefined) throw parts.commits.failure;
      return writes;
    }),
    isClosing: false,
    close: () => {
      engine.isClosing = true;
      closing ??= closeEngine(parts);
      return closing;
    },
  };
  return engine;
}

async function closeEngine(parts: EngineParts): Promise<void> {
  const {
    admission,
    commits,
    feed,
    ingests,
    retirement,
    maintenance,
    log,
    manifest,
    tree,
    files,
    space,
    idleTidy,
    lock,
    onClosed,
  } = parts;
  admission.fail(new VarveError("CLOSED", "the database was closed"));
  space.close();
  idleTidy.close();
  retirement.close();
  try {
    await feed.close();
    await ingests.close();
    await commits.drained();
    commits.close();
    await maintenance.close();
    // Nothing to sync after a failure: the log has said that it cannot be trusted.
    if (commits.failure === undefined) await log.close();
    await manifest.close();
    await tree.tables.close();
    await files.settled();
  } finally {
    await lock.release();
    await onClosed();
  }
}
