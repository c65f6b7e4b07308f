/** What is to be seen in a screenshot or on a canvas. */
import type { Locator, Page } from "playwright-core";

export type Color = readonly [red: number, green: number, blue: number];

/** Colours of a screenshot at points in its pixels. Decoded in a page, as Node has nothing for it. */
export async function colorsAt(
  page: Page,
  screenshot: Buffer,
  points: readonly { x: number; y: number }[],
): Promise<Color[]> {
  const bytes = screenshot.toString("base64");
  return page.evaluate(
    async ([base64, wanted]) => {
      const raw = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      const image = await createImageBitmap(new Blob([raw], { type: "image/png" }));
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext("2d");
      if (context === null) throw new Error("no canvas");
      context.drawImage(image, 0, 0);
      return wanted.map(({ x, y }): [number, number, number] => {
        const [red = 0, green = 0, blue = 0] = context.getImageData(x, y, 1, 1).data;
        return [red, green, blue];
      });
    },
    [bytes, points] as const,
  );
}

/** The share of a canvas's pixels on which something is drawn. */
export function drawnShare(canvas: Locator): Promise<number> {
  return canvas.evaluate((element) => {
    if (!(element instanceof HTMLCanvasElement)) throw new Error("not a canvas");
    const { width, height } = element;
    const data = element.getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) if ((data[i] ?? 0) > 0) drawn++;
    return drawn / (width * height);
  });
}

export function distance(a: Color, b: Color): number {
  return Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) + Math.abs(a[2] - b[2]);
}
