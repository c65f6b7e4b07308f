/** The operating system's refusals as Varve's errors: a full disk, and too many open files, apart from everything else. */
import { VarveError } from "../errors.ts";

const NO_SPACE_CODES = new Set(["ENOSPC", "EDQUOT"]);
/** The process's limit, and the system's. */
const NO_FILES_CODES = new Set(["EMFILE", "ENFILE"]);

/** `NO_SPACE` or `IO_ERROR`, with what was tried, the path, and the system's error as the cause. Retryable where it may pass. */
export function ioFailure(action: string, path: string, cause: unknown): VarveError {
  const code = systemCodeOf(cause);
  const message = `cannot ${action} ${path}: ${cause instanceof Error ? cause.message : String(cause)}`;
  if (code !== undefined && NO_SPACE_CODES.has(code)) {
    return new VarveError("NO_SPACE", message, { cause, retryable: true });
  }
  return new VarveError("IO_ERROR", message, { cause, retryable: isOutOfFiles(cause) });
}

/** Whether a file could not be opened because too many are open: it can be, when some are closed. */
export function isOutOfFiles(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code !== undefined && NO_FILES_CODES.has(code);
}

/** The system's own code, such as `ENOENT`, of an error from Node or of a `VarveError` around one. */
export function systemCodeOf(error: unknown): string | undefined {
  const source = error instanceof VarveError ? error.cause : error;
  if (!(source instanceof Error) || !("code" in source)) return undefined;
  return typeof source.code === "string" ? source.code : undefined;
}
