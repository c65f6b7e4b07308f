/** A value as text, as JSON or as bytes. Of long values the beginning, which a reader has time for. */
import { element } from "../page/dom.ts";
import { bestView, decodeText, hexDump, prettyJson, type ValueView } from "../text/bytes.ts";
import { formatBytes } from "../text/format.ts";

const TEXT_MAX = 128 * 1024;
const HEX_BYTES_MAX = 32 * 1024;
const VIEWS: readonly (readonly [ValueView, string])[] = [
  ["text", "Text"],
  ["json", "JSON"],
  ["hex", "Hex"],
];

/** `name` tells the views of several values on the page apart. */
export function valueView(value: Uint8Array, name: string): HTMLElement {
  const shown = element("pre", { class: "value", tabindex: 0, "aria-label": "Value" });
  const note = element("p", { class: "note" });
  const show = (view: ValueView) => {
    const { text, isCut } = textOf(value, view);
    shown.textContent = text;
    shown.dataset.view = view;
    note.textContent = isCut ? `The beginning; the value has ${formatBytes(value.length)}.` : "";
  };
  const best = bestView(value);
  const choices = VIEWS.map(([view, label]) => {
    const input = element("input", { type: "radio", name, value: view, checked: view === best });
    input.addEventListener("change", () => show(view));
    return element("label", {}, input, element("span", {}, label));
  });
  show(best);
  const group = element(
    "fieldset",
    { class: "views" },
    element("legend", { class: "unseen" }, "View as"),
    ...choices,
  );
  return element("div", { class: "value-view" }, group, shown, note);
}

function textOf(value: Uint8Array, view: ValueView): { text: string; isCut: boolean } {
  if (value.length === 0) return { text: "(no bytes)", isCut: false };
  if (view === "hex") {
    return { text: hexDump(value, HEX_BYTES_MAX), isCut: value.length > HEX_BYTES_MAX };
  }
  const text = view === "json" ? prettyJson(value) : decodeText(value);
  if (text === undefined) {
    return {
      text: view === "json" ? "(not a JSON document)" : "(not text: no UTF-8)",
      isCut: false,
    };
  }
  return { text: text.slice(0, TEXT_MAX), isCut: text.length > TEXT_MAX };
}
