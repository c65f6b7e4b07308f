/** The engine's errors are the protocol's: one class, one registry of codes. See `protocol/errors.ts`. */
export { type ErrorCode, type ErrorDetails, VarveError } from "varve-protocol";
