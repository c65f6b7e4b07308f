/** The piece of a line that stands in a table beside its name, with the colour and the dashes that it has in the chart. */
import type { Line } from "./time-chart.ts";

const SVG = "http://www.w3.org/2000/svg";

export function lineMarker({ color, dash, isFilled = false }: Line): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "line-marker");
  svg.setAttribute("viewBox", "0 0 28 10");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, isFilled ? "rect" : "path");
  if (isFilled) {
    for (const [name, value] of Object.entries({
      x: "8",
      y: "0",
      width: "12",
      height: "10",
      rx: "2",
    })) {
      shape.setAttribute(name, value);
    }
    shape.style.fill = `var(--${color})`;
  } else {
    shape.setAttribute("d", "M0 5H28");
    shape.style.stroke = `var(--${color})`;
    if (dash !== undefined) shape.setAttribute("stroke-dasharray", dash.join(" "));
  }
  svg.append(shape);
  return svg;
}
