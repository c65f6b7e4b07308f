/** Learns from a table file itself what the manifest would tell of it: for repair. */
import type { FileSystem } from "../fs/file-system.ts";
import { parseTable } from "./table.ts";
import { decodeFooter, FOOTER_BYTES, tailBytesOf } from "./table-format.ts";
import type { TableMeta } from "./table-meta.ts";

/** Throws `CORRUPTION` or `UNSUPPORTED_FORMAT` where the tail is not sound; the data blocks are not read. */
export async function readTableMeta(
  fs: FileSystem,
  path: string,
  number: number,
): Promise<TableMeta> {
  const file = await fs.open(path, "read");
  try {
    const fileBytes = await file.size();
    const end = Buffer.allocUnsafeSlow(Math.min(FOOTER_BYTES, fileBytes));
    await file.read(end, fileBytes - end.length);
    const tailBytes = tailBytesOf(decodeFooter(end, path, fileBytes));
    const tail = Buffer.allocUnsafeSlow(tailBytes);
    await file.read(tail, fileBytes - tailBytes);
    const { properties } = parseTable(tail, { path, number, fileBytes });
    const { dataBytes: _dataBytes, codec: _codec, ranges: _ranges, ...known } = properties;
    // Copies: the decoder's arrays are views that would keep all of the tail in memory.
    const smallest = new Uint8Array(known.smallest);
    const largest = new Uint8Array(known.largest);
    return { ...known, smallest, largest, fileBytes, tailBytes };
  } finally {
    await file.close();
  }
}
