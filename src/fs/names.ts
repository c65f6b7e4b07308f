/**
 * The names of a database's files. Logs, tables and manifests draw their numbers from one counter, so a
 * number is never used twice in a directory, and a larger one was made later.
 */

export const LOCK_NAME = "LOCK";
/** Holds the name of the manifest in force; replaced by rename. */
export const CURRENT_NAME = "CURRENT";

function numbered(number: number): string {
  return String(number).padStart(9, "0");
}

export const logName = (number: number): string => `${numbered(number)}.log`;
export const tableName = (number: number): string => `${numbered(number)}.table`;
export const manifestName = (number: number): string => `${numbered(number)}.manifest`;

export interface FileName {
  readonly kind: "log" | "table" | "manifest";
  readonly number: number;
}

/** What a numbered file's name says; `undefined` for any other name. */
export function parseFileName(name: string): FileName | undefined {
  const match = /^(\d{9,15})\.(log|table|manifest)$/.exec(name);
  if (match === null) return undefined;
  return { kind: match[2] as FileName["kind"], number: Number(match[1]) };
}
