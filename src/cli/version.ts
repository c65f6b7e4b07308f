/** The version of this package, as its package.json says. */
import { readFileSync } from "node:fs";

export function packageVersion(): string {
  const path = new URL("../../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { version: string };
  return version;
}
