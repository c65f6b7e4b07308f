/**
 * Keys and values are bytes. Here is how they are shown and typed in: as text where they are text, with `\xNN` for
 * what is not, so that every sequence of bytes has one spelling and can be written back.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text, or `undefined` where the bytes are not UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Text on one line: what cannot be seen is `\xNN`, a backslash is doubled. The reverse of `parsePrintable`. */
export function printable(bytes: Uint8Array): string {
  const text = decodeText(bytes);
  if (text === undefined) return Array.from(bytes, printableByte).join("");
  return Array.from(text, (char) => {
    if (char === "\\") return "\\\\";
    return isVisible(char) ? char : Array.from(encoder.encode(char), escapeByte).join("");
  }).join("");
}

/** Bytes of what was typed: UTF-8, where `\xNN` is a byte and `\\` a backslash. Another `\` stands for itself. */
export function parsePrintable(text: string): Uint8Array {
  const parts = text.split(/(\\x[0-9a-fA-F]{2}|\\\\)/);
  const chunks = parts.map((part) => {
    if (part === "\\\\") return encoder.encode("\\");
    if (/^\\x[0-9a-fA-F]{2}$/.test(part)) return Uint8Array.of(Number.parseInt(part.slice(2), 16));
    return encoder.encode(part);
  });
  return concat(chunks);
}

/** Every byte that is not plain, percent-encoded: fit for one segment of a path and for a query. */
export function percentEncode(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9_~.-]/.test(char) ? char : `%${hexByte(byte).toUpperCase()}`;
  }).join("");
}

export function decodeBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** Sixteen bytes a line: `00000010  48 65 …  |He…|`. Of long values the first `bytesMax`. */
export function hexDump(bytes: Uint8Array, bytesMax = 64 * 1024): string {
  const lines: string[] = [];
  for (let offset = 0; offset < Math.min(bytes.length, bytesMax); offset += 16) {
    const row = bytes.subarray(offset, Math.min(offset + 16, bytesMax));
    const hex = Array.from(row, hexByte);
    const left = hex.slice(0, 8).join(" ").padEnd(23);
    const right = hex.slice(8).join(" ").padEnd(23);
    const text = Array.from(row, (byte) => (isAscii(byte) ? String.fromCharCode(byte) : "."));
    const place = offset.toString(16).padStart(8, "0");
    lines.push(`${place}  ${left}  ${right}  |${text.join("")}|`);
  }
  return lines.join("\n");
}

/** Bytes as pairs of digits, to be edited. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, hexByte)
    .join(" ")
    .replace(/((?:\S\S ){16})/g, (line) => `${line.trim()}\n`);
}

/** Bytes of digits typed in; spaces and line ends may stand anywhere. `undefined` where it is not hexadecimal. */
export function parseHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/\s+/g, "");
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Laid out with two spaces; `undefined` where the bytes are not a JSON document. */
export function prettyJson(bytes: Uint8Array): string | undefined {
  const text = decodeText(bytes);
  return text === undefined || !isJson(text) ? undefined : layOutJson(text);
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Only the white space is new. Numbers, doubled names and escapes stay as they are stored, where parsing and printing
 * would change large numbers.
 */
function layOutJson(text: string): string {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g) ?? [];
  let depth = 0;
  let laidOut = "";
  tokens.forEach((token, index) => {
    const isEmptyPair = "[{".includes(tokens[index - 1] ?? " ") && "]}".includes(token);
    if ("]}".includes(token)) {
      depth--;
      if (!isEmptyPair) laidOut += newLine(depth);
    }
    laidOut += token === ":" ? ": " : token;
    const next = tokens[index + 1] ?? "";
    if ("[{".includes(token)) {
      depth++;
      if (!"]}".includes(next)) laidOut += newLine(depth);
    }
    if (token === ",") laidOut += newLine(depth);
  });
  return laidOut;
}

function newLine(depth: number): string {
  return `\n${"  ".repeat(depth)}`;
}

export type ValueView = "text" | "json" | "hex";

/** The view that says most of a value: JSON for objects and lists, text for text, bytes for the rest. */
export function bestView(bytes: Uint8Array): ValueView {
  const text = decodeText(bytes);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what makes bytes unfit to be shown as text
  if (text === undefined || /[\x00-\x08\x0e-\x1f]/.test(text)) return "hex";
  return /^\s*[[{]/.test(text) && prettyJson(bytes) !== undefined ? "json" : "text";
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function escapeByte(byte: number): string {
  return `\\x${hexByte(byte)}`;
}

function isAscii(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}

function printableByte(byte: number): string {
  if (byte === 0x5c) return "\\\\";
  return isAscii(byte) ? String.fromCharCode(byte) : escapeByte(byte);
}

/** Not a control, a separator other than the space, nor a mark that turns the direction of the text around it. */
function isVisible(char: string): boolean {
  return char === " " || !/[\p{C}\p{Z}]/u.test(char);
}
