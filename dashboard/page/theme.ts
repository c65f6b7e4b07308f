/** Light or dark: as the system has it, or as chosen with the button, which the browser then remembers. */
import { byId } from "./dom.ts";

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

const NAMES: Readonly<Record<Theme, string>> = {
  system: "as the system",
  light: "light",
  dark: "dark",
};
const KEPT_AS = "varve-theme";

/** `onChange` is called whenever colours are others. */
export function enableTheme(onChange: () => void): void {
  const button = byId("theme", HTMLButtonElement);
  const kept = localStorage.getItem(KEPT_AS);
  let theme: Theme = THEMES.find((name) => name === kept) ?? "system";

  const system = matchMedia("(prefers-color-scheme: dark)");

  function apply(): void {
    const isDark = theme === "dark" || (theme === "system" && system.matches);
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    button.setAttribute("aria-label", `Colours: ${NAMES[theme]}. Change`);
    button.title = `Colours: ${NAMES[theme]}`;
    onChange();
  }

  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
    localStorage.setItem(KEPT_AS, theme);
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}

export function wantsStillness(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
