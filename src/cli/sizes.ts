/** Sizes as people write and read them. */
import { InvalidArgumentError } from "commander";

const UNITS = {
  B: 1,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
} as const;

/** Bytes of `64KiB`, `1.5 GiB`, `100MB` or a plain number. */
export function parseSize(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text);
  const unit = (match?.[2] || "B").toUpperCase();
  if (match === null || !(unit in UNITS)) {
    throw new InvalidArgumentError("a size is a number with B, KiB, MiB, GiB, KB, MB or GB");
  }
  return Math.round(Number(match[1]) * UNITS[unit as keyof typeof UNITS]);
}

/** `1536` as `1.5 KiB`. */
export function formatSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size.toLocaleString("en-US", { maximumFractionDigits: size < 10 ? 1 : 0 })} ${units[unit]}`;
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}
