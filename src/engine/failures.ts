import { type ErrorDetails, VarveError } from "../errors.ts";

/** The error that ends writing: the log could not be written or synced. */
export function logFailed(cause: unknown, details: ErrorDetails = {}): VarveError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message =
    cause instanceof VarveError && cause.code === "LOG_FAILED"
      ? reason
      : `the log could not be written: ${reason}; reads go on, open the database again to write`;
  return new VarveError("LOG_FAILED", message, { ...details, cause });
}
