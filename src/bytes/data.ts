import type { Data } from "../store.ts";

const encoder = new TextEncoder();

/** The bytes that `data` stands for: itself, or a string's UTF-8. */
export function toBytes(data: Data): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : data;
}
