/**
 * Where a value is typed: as text, as JSON that is checked, or as bytes in hexadecimal. A text field changes line ends,
 * so a value with carriage returns is edited as bytes.
 */
import { element } from "../page/dom.ts";
import { bestView, decodeText, isJson, parseHex, prettyJson, toHex } from "../text/bytes.ts";

type Format = "text" | "json" | "hex";
const FORMATS: readonly (readonly [Format, string])[] = [
  ["text", "Text"],
  ["json", "JSON"],
  ["hex", "Hex"],
];

const encoder = new TextEncoder();

export class ValueField {
  readonly root: HTMLElement;
  readonly #area = element("textarea", {
    id: "edit-value",
    rows: 10,
    spellcheck: "false",
    autocomplete: "off",
  });
  readonly #format = element("select", { id: "edit-format" });
  readonly #note = element("span", { class: "note" });
  #shown: Format;

  constructor(value: Uint8Array) {
    const isText = asText(value) !== undefined;
    this.#shown = isText ? bestView(value) : "hex";
    for (const [format, label] of FORMATS) {
      this.#format.append(
        element("option", { value: format, selected: format === this.#shown }, label),
      );
    }
    this.#area.value = this.#shown === "hex" ? toHex(value) : (asText(value) ?? "");
    this.#format.addEventListener("change", () => this.#change());
    const tidy = element("button", { type: "button" }, "Lay out JSON");
    tidy.addEventListener("click", () => {
      const pretty =
        this.#shown === "hex" ? undefined : prettyJson(encoder.encode(this.#area.value));
      this.#note.textContent = pretty === undefined ? "This is not JSON." : "";
      if (pretty !== undefined) this.#area.value = pretty;
    });
    this.root = element(
      "div",
      { class: "field is-wide" },
      element("label", { for: "edit-value" }, "Value"),
      this.#area,
      element(
        "span",
        { class: "row" },
        element("label", { for: "edit-format" }, "Typed as"),
        this.#format,
        tidy,
        this.#note,
      ),
    );
  }

  focus(): void {
    this.#area.focus();
  }

  /** The bytes, or what is wrong with the text. */
  bytes(): Uint8Array<ArrayBuffer> | string {
    const text = this.#area.value;
    if (this.#shown === "hex") {
      const bytes = parseHex(text);
      return bytes === undefined
        ? "Bytes are pairs of the digits 0-9 and a-f."
        : new Uint8Array(bytes);
    }
    if (this.#shown === "json" && !isJson(text)) return "This is not a JSON document.";
    return encoder.encode(text);
  }

  /** Takes what was typed along, where the other form can say it. */
  #change(): void {
    const wanted = FORMATS.find(([format]) => format === this.#format.value)?.[0] ?? this.#shown;
    const isTextual = wanted !== "hex";
    if (isTextual !== (this.#shown !== "hex")) {
      const bytes = isTextual ? parseHex(this.#area.value) : encoder.encode(this.#area.value);
      const text = bytes && (isTextual ? asText(bytes) : toHex(bytes));
      if (text === undefined) {
        this.#note.textContent = "These bytes are not text.";
        this.#format.value = this.#shown;
        return;
      }
      this.#area.value = text;
    }
    this.#note.textContent = "";
    this.#shown = wanted;
  }
}

function asText(value: Uint8Array): string | undefined {
  const text = decodeText(value);
  return text === undefined || text.includes("\r") ? undefined : text;
}
