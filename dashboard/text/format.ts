/** Numbers, sizes and times as people read them. All are pure, and none depends on the reader's locale. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `1.5 MiB`: three digits that count, and a unit of 1024. */
export function formatBytes(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (Math.abs(size) >= 1023.5 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(size) : threeDigits(size)} ${UNITS[unit]}`;
}

export function formatBytesPerSecond(bytes: number): string {
  return `${formatBytes(bytes)}/s`;
}

/** `12,345`: every digit, with groups of three. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `12.3 k`: short, where the place is small. */
export function formatShort(count: number): string {
  const size = Math.abs(count);
  if (size >= 999_500_000) return `${threeDigits(count / 1e9)} G`;
  if (size >= 999_500) return `${threeDigits(count / 1e6)} M`;
  if (size >= 1000) return `${threeDigits(count / 1000)} k`;
  return size === 0 || size >= 9.95 ? String(Math.round(count)) : threeDigits(count);
}

export function formatRate(perSecond: number): string {
  return `${formatShort(perSecond)}/s`;
}

/** A duration that was measured, given in microseconds: `840 µs`, `2.31 ms`, `1.2 s`. */
export function formatMicroseconds(us: number): string {
  if (us >= 999_500) return `${threeDigits(us / 1e6)} s`;
  if (us >= 999.5) return `${threeDigits(us / 1000)} ms`;
  return `${us >= 9.95 || us === 0 ? Math.round(us) : threeDigits(us)} µs`;
}

/** How long something has gone on, given in milliseconds: `4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joinUnits(minutes, "min", seconds % 60, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return joinUnits(hours, "h", minutes % 60, "min");
  return joinUnits(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** `99.2 %` of a share from 0 to 1. Only all is 100 %, and only nothing is 0 %. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 99.9 && percent < 100) return "> 99.9 %";
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  return percent === 100 || percent === 0 ? `${percent} %` : `${percent.toFixed(1)} %`;
}

/** `2.4×`, of amplifications. */
export function formatTimes(factor: number): string {
  return `${threeDigits(factor)}×`;
}

/** The time of day where the reader is, `14:03:07`. */
export function formatClock(time: number): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}

/** `2026-03-01 14:03:07`, where the reader is. */
export function formatDate(time: number): string {
  const date = new Date(time);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, "0"))
    .join("-");
  return `${day} ${formatClock(time)}`;
}

function joinUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** Three digits that count, without zeros behind the point. */
function threeDigits(value: number): string {
  const digits = Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2;
  return digits === 0 ? value.toFixed(0) : value.toFixed(digits).replace(/\.?0+$/, "");
}
