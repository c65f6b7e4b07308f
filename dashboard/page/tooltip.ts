/**
 * Explanations of terms: elements with `data-term` tell theirs when pointed at or focused. One tooltip serves all; it
 * goes with Escape, and stays while it is pointed at itself.
 */
import { element } from "./dom.ts";
import { TERMS, type Term } from "./terms.ts";

const MARGIN = 8;

/** A word with an explanation, reached by the Tab key. */
export function term(name: Term, text: string): HTMLElement {
  return element("button", { type: "button", class: "term", "data-term": name }, text);
}

export function enableTooltips(root: HTMLElement): void {
  const tip = element("div", { id: "tooltip", role: "tooltip", class: "tooltip", hidden: true });
  root.append(tip);
  let shownFor: HTMLElement | undefined;

  function show(event: Event): void {
    const target = event.target instanceof Element ? event.target : null;
    const owner = target?.closest<HTMLElement>("[data-term]");
    const name = owner?.dataset.term;
    if (!owner || owner === shownFor || name === undefined || !(name in TERMS)) return;
    hide();
    shownFor = owner;
    tip.textContent = TERMS[name as Term];
    tip.hidden = false;
    owner.setAttribute("aria-describedby", tip.id);
    place(tip, owner.getBoundingClientRect());
  }

  function hide(): void {
    shownFor?.removeAttribute("aria-describedby");
    shownFor = undefined;
    tip.hidden = true;
  }

  root.addEventListener("mouseover", show);
  root.addEventListener("focusin", show);
  root.addEventListener("focusout", hide);
  root.addEventListener("click", show);
  root.addEventListener("mouseout", (event) => {
    const to = event.relatedTarget;
    const stays = to instanceof Node && (tip.contains(to) || shownFor?.contains(to));
    if (!stays && shownFor !== document.activeElement) hide();
  });
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  // Focus may scroll the page to the word itself.
  const follow = () => {
    if (shownFor !== undefined) place(tip, shownFor.getBoundingClientRect());
  };
  addEventListener("scroll", follow, { passive: true, capture: true });
}

/** Below the word, or above it where there is no room; never outside of the window. */
function place(tip: HTMLElement, anchor: DOMRect): void {
  const { width, height } = tip.getBoundingClientRect();
  const right = document.documentElement.clientWidth - width - MARGIN;
  const below = anchor.bottom + MARGIN;
  const fitsBelow = below + height < innerHeight - MARGIN;
  tip.style.left = `${Math.max(MARGIN, Math.min(anchor.left, right))}px`;
  tip.style.top = `${fitsBelow ? below : anchor.top - height - MARGIN}px`;
}
