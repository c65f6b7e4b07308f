/** Where an arrow key goes in the tree's picture. Pure. */
import { bricksInOrder, type PlacedBrick, type TreeLayout } from "./layout.ts";

/** Without a brick to go from, any of the keys goes to the first. `undefined`: the key does nothing here. */
export function nextBrick(
  layout: TreeLayout,
  from: PlacedBrick | undefined,
  key: string,
): PlacedBrick | undefined {
  const levels = layout.bands.filter(({ bricks }) => bricks.length > 0).map(({ level }) => level);
  const first = levels[0];
  if (first === undefined || !isKey(key)) return undefined;
  if (from === undefined) return bricksInOrder(layout, first)[0];
  const row = bricksInOrder(layout, from.level);
  const place = row.findIndex(({ brick }) => brick.number === from.brick.number);
  switch (key) {
    case "ArrowRight":
      return row[Math.min(place + 1, row.length - 1)];
    case "ArrowLeft":
      return row[Math.max(place - 1, 0)];
    case "Home":
      return row[0];
    case "End":
      return row.at(-1);
    case "ArrowDown":
      return nearest(layout, from, levels[levels.indexOf(from.level) + 1]);
    case "ArrowUp":
      return nearest(layout, from, levels[levels.indexOf(from.level) - 1]);
  }
}

const KEYS = ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Home", "End"] as const;

function isKey(key: string): key is (typeof KEYS)[number] {
  return KEYS.some((name) => name === key);
}

/** The brick of another level whose middle is nearest; at the edge the brick itself. */
function nearest(layout: TreeLayout, from: PlacedBrick, level: number | undefined): PlacedBrick {
  if (level === undefined) return from;
  const middle = ({ x, width }: PlacedBrick) => x + width / 2;
  const distance = (brick: PlacedBrick) => Math.abs(middle(brick) - middle(from));
  const byDistance = bricksInOrder(layout, level).toSorted((a, b) => distance(a) - distance(b));
  return byDistance[0] ?? from;
}
