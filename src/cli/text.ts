/** Keys and values on the command line: how arguments stand for bytes, and bytes for what is printed. */
import { Option } from "commander";

const ENCODINGS = ["utf8", "hex", "base64"] as const;
export type Encoding = (typeof ENCODINGS)[number];

export function encodingOption(): Option {
  return new Option("--encoding <name>", "how keys and values are written and printed")
    .choices(ENCODINGS)
    .default("utf8");
}

const strict = new TextDecoder("utf-8", { fatal: true });

/** The bytes that an argument stands for. */
export function toBytes(text: string, encoding: Encoding): Uint8Array {
  const bytes = Buffer.from(text, encoding);
  if (encoding === "hex" && bytes.length * 2 !== text.length) {
    throw new Error(`${text} is not hexadecimal`);
  }
  return bytes;
}

/** What to print; bytes that are not UTF-8 are escaped as `\xff`, so nothing is lost on a terminal. */
export function toText(bytes: Uint8Array, encoding: Encoding): string {
  if (encoding !== "utf8") return Buffer.from(bytes).toString(encoding);
  try {
    return strict.decode(bytes);
  } catch {
    return Array.from(bytes, (byte) =>
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, "0")}`,
    ).join("");
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const ESCAPED = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\\]/g;

/**
 * As `toText`, for a line or a cell among others: control characters, which would break it or speak to the terminal, are
 * escaped, too, as `\x1b`; where any are, so is the backslash.
 */
export function toLine(bytes: Uint8Array, encoding: Encoding): string {
  const text = toText(bytes, encoding);
  if (!CONTROLS.test(text)) return text;
  return text.replace(ESCAPED, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
  });
}
