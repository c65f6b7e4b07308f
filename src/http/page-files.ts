/**
 * The files of the operator's page, as they are sent: TypeScript with its types stripped, everything else as it lies
 * there, and the chart library out of its package. Only what was found at the start can be asked for, so no request
 * names a path on the disk. A file is read when it is first asked for and kept; the page is small.
 */
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { extname, join, sep } from "node:path";

export interface PageFile {
  readonly type: string;
  /** A strong entity tag, quoted. */
  readonly etag: string;
  readonly body: Buffer;
}

/** What of the folder is served, and as what. TypeScript reaches the browser as JavaScript. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".ts": "text/javascript; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
};

/** Names under which the page finds the files of its one library. */
const LIBRARY_FILES: Readonly<Record<string, string>> = {
  "vendor/uplot.js": "uplot/dist/uPlot.esm.js",
  "vendor/uplot.css": "uplot/dist/uPlot.min.css",
};

export class PageFiles {
  readonly #paths: ReadonlyMap<string, string>;
  readonly #files = new Map<string, Promise<PageFile>>();

  /** `folder` holds the page's sources. */
  constructor(folder: string) {
    this.#paths = new Map([...ownFiles(folder), ...libraryFiles()]);
  }

  /** By its name relative to the folder, with `/` between; `undefined` where there is no such file. */
  get(name: string): Promise<PageFile> | undefined {
    const path = this.#paths.get(name);
    if (path === undefined) return undefined;
    let file = this.#files.get(name);
    if (file === undefined) {
      file = load(path);
      this.#files.set(name, file);
      // What could not be read is tried again by the next request.
      file.catch(() => this.#files.delete(name));
    }
    return file;
  }
}

function ownFiles(folder: string): [name: string, path: string][] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => extname(name) in CONTENT_TYPES && !name.endsWith(".d.ts"))
    .map((name) => [name.replaceAll(sep, "/"), join(folder, name)]);
}

function libraryFiles(): [name: string, path: string][] {
  const { resolve } = createRequire(import.meta.url);
  return Object.entries(LIBRARY_FILES).map(([name, module]) => [name, resolve(module)]);
}

async function load(path: string): Promise<PageFile> {
  const extension = extname(path);
  const source = await readFile(path);
  const body = extension === ".ts" ? Buffer.from(strip(source.toString("utf8"))) : source;
  const hash = createHash("sha256").update(body).digest("base64url").slice(0, 22);
  return { type: CONTENT_TYPES[extension] ?? "", etag: `"${hash}"`, body };
}

/**
 * Node calls its own type stripping experimental when a program asks for it, though it runs this very program by it.
 * That one warning is held back, for the length of this synchronous call; all others pass.
 */
function strip(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith("stripTypeScriptTypes")) {
      Reflect.apply(emitWarning, process, [warning, ...rest]);
    }
  };
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
