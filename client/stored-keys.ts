/** Keys and pages of one keyspace, on their way to the server and back; see `KeyMapping`. */
import type { Data, KeyMapping, Limits, Page } from "varve-protocol";
import { checkKey, checkKeys } from "./validate.ts";

export function storedKey(key: Data, keys: KeyMapping, limits: Limits): Data {
  const stored = keys.toStored(key);
  checkKey(stored, limits);
  return stored;
}

export function storedKeys(
  given: readonly Data[],
  keys: KeyMapping,
  limits: Limits,
): readonly Data[] {
  const stored = Array.isArray(given) ? given.map((key: Data) => keys.toStored(key)) : given;
  checkKeys(stored, limits);
  return stored;
}

export function fromStoredPage({ entries, cursor }: Page, keys: KeyMapping): Page {
  return { entries: entries.map(([key, value]) => [keys.fromStored(key), value]), cursor };
}
