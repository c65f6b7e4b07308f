/** What the background work is given, and what it tells of itself. */
import type { Clock } from "../fs/clock.ts";
import type { Settings } from "../options.ts";
import type { KeyspaceCodecList } from "../table/keyspace-codecs.ts";
import type { Manifest } from "../version/manifest.ts";
import type { Background } from "./background.ts";
import type { FileNumbers } from "./file-numbers.ts";
import type { Logger } from "./open-options.ts";
import type { SnapshotList } from "./snapshot-list.ts";
import type { Tree } from "./tree.ts";

export interface MaintenanceOptions {
  readonly settings: Settings;
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tree: Tree;
  readonly manifest: Pick<Manifest, "append" | "failed">;
  readonly background: Background;
  readonly numbers: FileNumbers;
  readonly snapshots: SnapshotList;
  /** Above it, all versions are kept. */
  readonly horizon: () => number;
  readonly keyspaceCodecs: () => KeyspaceCodecList;
  readonly logFloor: number;
  readonly lastSequence: number;
  readonly ingestedTo?: number | undefined;
  /** The first log segment that is still needed, once that is durable. */
  readonly onLogFloor: (segment: number) => void;
  /** The backlog has changed. */
  readonly onChange: () => void;
}

export interface MaintenanceStats {
  readonly flushes: number;
  readonly compactions: number;
  readonly moves: number;
  readonly running: number;
  readonly debtBytes: number;
  readonly failure: string | null;
}
