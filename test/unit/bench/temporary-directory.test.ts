/** What a run has made on the disk is gone after it, however it ended. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../bench/support/temporary-directory.ts";

const MODULE = join(import.meta.dirname, "../../../bench/support/temporary-directory.ts");

test("a directory is gone with what is in it at the end of the block, and not before", async () => {
  let path = "";
  {
    await using directory = await temporaryDirectory("varve-test-");
    path = directory.path;
    mkdirSync(join(path, "inner"));
    writeFileSync(join(path, "inner", "file"), "text");
    expect(basename(path)).toMatch(/^varve-test-/);
  }
  expect(existsSync(path)).toBe(false);
});

test.each(["process.exit(3)", "throw new Error('uncaught')"])(
  "a directory is gone after %s",
  (end) => {
    const program =
      `import { writeFileSync } from "node:fs";` +
      `import { temporaryDirectory } from ${JSON.stringify(MODULE)};` +
      `const { path } = await temporaryDirectory("varve-test-");` +
      `writeFileSync(path + "/file", "text");` +
      `console.log(path); setTimeout(() => { ${end} });`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
    });
    const path = stdout.trim();
    expect(basename(path)).toMatch(/^varve-test-/);
    expect(existsSync(path)).toBe(false);
  },
);
