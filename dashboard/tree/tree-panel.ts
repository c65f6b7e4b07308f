/**
 * The canvas with the tree's picture: drawn when the tree changes and, while something moves, for each frame. Pointing
 * at a brick, or going to it with the arrow keys, tells what it is.
 */
import type { TreePicture } from "../data/admin-types.ts";
import { byId, element, panel } from "../page/dom.ts";
import { wantsStillness } from "../page/theme.ts";
import { brickAt, layOutTree, type PlacedBrick, type TreeLayout } from "./layout.ts";
import { Motion } from "./motion.ts";
import { nextBrick } from "./navigate.ts";
import { paintGround } from "./paint.ts";
import { paintMotion } from "./paint-motion.ts";
import { type Palette, readPalette } from "./palette.ts";
import { brickFacts, brickName } from "./words.ts";

export class TreePanel {
  readonly #canvas = byId("tree-canvas", HTMLCanvasElement);
  readonly #detail = panel("tree-detail");
  readonly #ground = document.createElement("canvas");
  readonly #motion = new Motion();
  #picture: TreePicture | undefined;
  #layout: TreeLayout | undefined;
  #palette: Palette | undefined;
  #chosen: { readonly level: number; readonly number: number } | undefined;
  #frame = 0;
  #isGroundOld = true;

  constructor() {
    const canvas = this.#canvas;
    canvas.addEventListener("pointermove", (event) => this.#point(event));
    canvas.addEventListener("pointerdown", (event) => this.#point(event));
    canvas.addEventListener("pointerleave", () => this.#choose(undefined));
    canvas.addEventListener("blur", () => this.#choose(undefined));
    canvas.addEventListener("keydown", (event) => this.#press(event));
    new ResizeObserver(() => this.#arrange()).observe(panel("tree-frame"));
    matchMedia("(prefers-reduced-motion: reduce)").addEventListener("change", () => this.#draw());
  }

  update(picture: TreePicture): void {
    this.#picture = picture;
    this.#arrange();
    if (this.#chosen !== undefined) this.#tell();
  }

  /** With the colours as they are now. */
  recolor(): void {
    this.#palette = undefined;
    this.#isGroundOld = true;
    this.#draw();
  }

  #arrange(): void {
    const width = panel("tree-frame").clientWidth;
    if (this.#picture === undefined || width === 0) return;
    const layout = layOutTree(this.#picture, width);
    this.#motion.update(layout, performance.now(), wantsStillness());
    this.#layout = layout;
    this.#isGroundOld = true;
    for (const canvas of [this.#canvas, this.#ground]) {
      const pixels = {
        width: Math.round(layout.width * devicePixelRatio),
        height: Math.round(layout.height * devicePixelRatio),
      };
      if (canvas.width !== pixels.width) canvas.width = pixels.width;
      if (canvas.height !== pixels.height) canvas.height = pixels.height;
    }
    this.#canvas.style.height = `${layout.height}px`;
    this.#draw();
  }

  #draw(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame((now) => this.#paint(now));
  }

  #paint(now: number): void {
    this.#frame = 0;
    const picture = this.#picture;
    const layout = this.#layout;
    const context = this.#canvas.getContext("2d");
    const ground = this.#ground.getContext("2d");
    if (picture === undefined || layout === undefined || !context || !ground) return;
    this.#palette ??= readPalette(this.#canvas);
    const isStill = wantsStillness();
    const isMoving = !isStill && this.#motion.isBusy(now);
    if (this.#isGroundOld || isMoving) {
      ground.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
      paintGround(ground, layout, this.#palette, this.#motion, now);
      // One time more when all is at rest.
      this.#isGroundOld = isMoving;
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.drawImage(this.#ground, 0, 0);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    paintMotion(context, picture, layout, this.#palette, this.#chosenBrick(), { now, isStill });
    if (!isStill) this.#draw();
  }

  #chosenBrick(): PlacedBrick | undefined {
    const chosen = this.#chosen;
    if (chosen === undefined) return undefined;
    const band = this.#layout?.bands.find(({ level }) => level === chosen.level);
    return band?.bricks.find(({ brick }) => brick.number === chosen.number);
  }

  #point(event: PointerEvent): void {
    if (this.#layout === undefined) return;
    this.#choose(brickAt(this.#layout, event.offsetX, event.offsetY));
  }

  #press(event: KeyboardEvent): void {
    if (this.#layout === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      this.#choose(undefined);
      return;
    }
    const next = nextBrick(this.#layout, this.#chosenBrick(), event.key);
    if (next === undefined) return;
    event.preventDefault();
    this.#choose(next);
  }

  #choose(placed: PlacedBrick | undefined): void {
    const isSame =
      placed?.brick.number === this.#chosen?.number && placed?.level === this.#chosen?.level;
    if (isSame) return;
    this.#chosen = placed && { level: placed.level, number: placed.brick.number };
    this.#tell();
    this.#draw();
  }

  /** Beside the brick, and out to screen readers. */
  #tell(): void {
    const placed = this.#chosenBrick();
    const detail = this.#detail;
    detail.hidden = placed === undefined;
    if (placed === undefined || this.#layout === undefined) return;
    const facts = brickFacts(placed.brick).flatMap(([name, text]) => [
      element("dt", {}, name),
      element("dd", {}, text),
    ]);
    const state = placed.isInput ? ", being compacted" : "";
    const title = `${brickName(placed.brick)}, level ${placed.level}${state}`;
    detail.replaceChildren(element("strong", {}, title), element("dl", {}, ...facts));
    const { width, height } = detail.getBoundingClientRect();
    const left = Math.min(
      Math.max(0, placed.x + placed.width / 2 - width / 2),
      this.#layout.width - width,
    );
    const above = placed.y - height - 10;
    detail.style.left = `${Math.max(0, left)}px`;
    detail.style.top = `${above >= 0 ? above : placed.y + placed.height + 10}px`;
  }
}
