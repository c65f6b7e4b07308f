/** The sheet that every chart is drawn on, and text made safe to stand on it. */

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A white sheet with a title and what is drawn on it; `width` and `height` in pixels. */
export function svgSheet(
  title: string,
  width: number,
  height: number,
  drawn: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
      `height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="12" y="20" font-size="15">${escapeXml(title)}</text>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}
