/**
 * Runs before the page is painted, unlike everything else on it, so that it never flashes in the other theme. A plain
 * script: it imports nothing. `theme.ts` keeps what is read here.
 */
{
  const kept = localStorage.getItem("varve-theme");
  const isDark =
    kept === "dark" || (kept !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
}
