import { constants } from "node:fs";
import type { OpenMode } from "./file-system.ts";

/** What `open` of the operating system takes for each mode. */
export const OPEN_FLAGS: { readonly [mode in OpenMode]: number } = {
  read: constants.O_RDONLY,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  write: constants.O_RDWR,
};

/** For writes that are on the disk when they return; `undefined` where the system has no such thing. */
export const OPEN_SYNCED_FLAGS: number | undefined =
  constants.O_DSYNC === undefined ? undefined : constants.O_RDWR | constants.O_DSYNC;

/** Owner only: a database may hold what others must not read. */
export const FILE_MODE = 0o600;
