/** The operating system's refusals as Varve's errors: a full disk apart from everything else. */
import { VarveError } from "../errors.ts";

const NO_SPACE_CODES = new Set(["ENOSPC", "EDQUOT"]);

/** `NO_SPACE` or `IO_ERROR`, with what was tried, the path, and the system's error as the cause. */
export function ioFailure(action: string, path: string, cause: unknown): VarveError {
  const code = systemCodeOf(cause);
  const message = `cannot ${action} ${path}: ${cause instanceof Error ? cause.message : String(cause)}`;
  if (code !== undefined && NO_SPACE_CODES.has(code)) {
    return new VarveError("NO_SPACE", message, { cause, retryable: true });
  }
  return new VarveError("IO_ERROR", message, { cause });
}

/** The system's own code, such as `ENOENT`, of an error from Node or of a `VarveError` around one. */
export function systemCodeOf(error: unknown): string | undefined {
  const source = error instanceof VarveError ? error.cause : error;
  if (!(source instanceof Error) || !("code" in source)) return undefined;
  return typeof source.code === "string" ? source.code : undefined;
}
