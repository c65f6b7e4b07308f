/** An open table's tail: index, filter and properties, parsed and checked. Blocks are read elsewhere. */
import { RangeTombstones } from "../range-tombstones.ts";
import { BLOCK_TRAILER_BYTES, corrupt, decodeBlock } from "./block-format.ts";
import { BlockIndex } from "./block-index.ts";
import { TableFilter } from "./filter.ts";
import { decodeProperties, type TableProperties } from "./properties.ts";
import { decodeFooter, tailBytesOf } from "./table-format.ts";

export interface Table {
  readonly path: string;
  readonly index: BlockIndex;
  readonly filter: TableFilter;
  /** Ranges of keys that were deleted; `undefined` where there is none. */
  readonly ranges: RangeTombstones | undefined;
  readonly properties: TableProperties;
  /** What index and filter take. */
  readonly memoryBytes: number;
}

/**
 * Parses the last bytes of a table file, which must hold all of its tail. Throws `CORRUPTION`, naming path
 * and offset, and `UNSUPPORTED_FORMAT`. `number` is what the file's name says.
 */
export function parseTable(
  tail: Uint8Array,
  file: { readonly path: string; readonly number: number; readonly fileBytes: number },
): Table {
  const { path, number, fileBytes } = file;
  const footer = decodeFooter(tail, path, fileBytes);
  const tailBytes = tailBytesOf(footer);
  if (tailBytes > tail.length) {
    throw corrupt(
      path,
      fileBytes - tailBytes,
      `the tail has ${tailBytes} bytes, not ${tail.length}`,
    );
  }
  const start = tail.length - tailBytes;
  const filterEnd = start + footer.filterBytes;
  const indexEnd = filterEnd + footer.indexBytes;
  const propertiesEnd = indexEnd + footer.propertiesBytes;
  const toOffset = fileBytes - tail.length;
  const block = (from: number, to: number) =>
    decodeBlock(tail.subarray(from, to), toOffset + from, path);

  const filter = TableFilter.decode(block(start, filterEnd));
  if (filter === undefined) throw corrupt(path, toOffset + start, "the filter is not one");
  const index = BlockIndex.decode(block(filterEnd, indexEnd), fileBytes - tailBytes);
  if (index === undefined)
    throw corrupt(path, toOffset + filterEnd, "the index does not fit the file");
  const properties = decodeProperties(block(indexEnd, propertiesEnd), path, toOffset + indexEnd);
  const ranges = properties.ranges && RangeTombstones.decode(properties.ranges);
  if (properties.ranges !== undefined && ranges === undefined) {
    throw corrupt(path, toOffset + indexEnd, "the deleted ranges are not a set of them");
  }
  if (properties.number !== number) {
    const message = `the file is table ${properties.number}, though its name says ${number}`;
    throw corrupt(path, toOffset + indexEnd, message);
  }
  const memoryBytes =
    index.memoryBytes + footer.filterBytes + BLOCK_TRAILER_BYTES + (ranges?.memoryBytes ?? 0);
  return { path, index, filter, ranges, properties, memoryBytes };
}
