/** What the background work is given, and what it tells of itself. */
import type { Manifest } from "../version/manifest.ts";
import type { Background } from "./background.ts";
import type { Logger } from "./open-options.ts";
import type { TaskPlansOptions } from "./task-plans.ts";

export interface MaintenanceOptions extends TaskPlansOptions {
  readonly logger: Logger;
  readonly manifest: Pick<Manifest, "append" | "failed">;
  readonly background: Background;
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
