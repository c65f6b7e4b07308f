/** A caller's `AbortSignal`, by which what takes long ends early. */
import { VarveError } from "../errors.ts";

export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw new VarveError("INVALID_ARGUMENT", "signal must be an AbortSignal");
}

/** Throws `ABORTED` once the signal has fired; its reason is the cause. */
export function assertNotAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted !== true) return;
  throw new VarveError("ABORTED", `the ${what} was aborted`, { cause: signal.reason });
}
