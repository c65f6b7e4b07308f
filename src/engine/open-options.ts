/** What `Database.open` takes: the settings, and the world that the engine lives in. */
import { VarveError } from "../errors.ts";
import { type Clock, systemClock } from "../fs/clock.ts";
import { DiskFileSystem } from "../fs/disk-file-system.ts";
import type { FileSystem } from "../fs/file-system.ts";
import { resolveSettings, type Settings } from "../options.ts";
import type { Background } from "./background.ts";
import { InlineBackground } from "./inline-background.ts";
import { WorkerBackground } from "./worker-background.ts";

/** Where the engine says what it does; a `pino` logger fits. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface OpenOptions extends Partial<Settings> {
  /** The disk unless given. Worker threads see the disk only, so another one needs `inline`. */
  readonly fs?: FileSystem;
  readonly clock?: Clock;
  /** Where flush and compaction run: in worker threads unless given. */
  readonly background?: "threads" | "inline" | Background;
  /** Nothing is logged unless given. */
  readonly logger?: Logger;
}

export interface World {
  readonly settings: Settings;
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once the directory is locked and read, so that a failed open starts no threads. */
  readonly startBackground: () => Background;
  /** Gives back what was made for this database alone. */
  readonly close: () => Promise<void>;
}

const silent: Logger = { info() {}, warn() {}, error() {} };

export function resolveOptions(options: OpenOptions): World {
  const { fs, clock, background = "threads", logger, ...rest } = options;
  const settings = resolveSettings(rest);
  const ownDisk = fs === undefined ? new DiskFileSystem() : undefined;
  const fileSystem = fs ?? (ownDisk as FileSystem);
  if (background === "threads" && !(fileSystem instanceof DiskFileSystem)) {
    const message = 'worker threads see the disk only; with another fs, set background to "inline"';
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  const startBackground = () => {
    if (background === "threads") return new WorkerBackground(settings.backgroundBytesPerSecond);
    if (background === "inline") return new InlineBackground(fileSystem.sync);
    return background;
  };
  return {
    settings,
    fs: fileSystem,
    clock: clock ?? systemClock,
    logger: logger ?? silent,
    startBackground,
    close: async () => ownDisk?.close(),
  };
}
