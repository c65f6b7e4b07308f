/** The picture's colours, as the style sheet has them for the present theme. */

export interface Palette {
  readonly ink: string;
  readonly faint: string;
  readonly accent: string;
  readonly water: string;
  readonly waterDeep: string;
  readonly hatch: string;
  readonly page: string;
  readonly font: string;
  /** By level, from the sand of level 0 to the deep brown of the last. */
  readonly strata: readonly string[];
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: read("ink"),
    faint: read("ink-faint"),
    accent: read("glow"),
    water: read("water"),
    waterDeep: read("water-deep"),
    hatch: read("hatch"),
    page: read("paper"),
    font: style.fontFamily,
    strata: Array.from({ length: 7 }, (_, level) => read(`stratum-${level}`)),
  };
}
