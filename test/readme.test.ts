/** The README's examples, run as they stand but for the addresses and directories that they name. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ServerProcess, startServer } from "../bench/support/server-process.ts";

const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");

function examples(language: string): string[] {
  const blocks = readme.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g"));
  return [...blocks].map((block) => block[1] ?? "");
}

/** Those that open a store, and those that go on with the `db` of either. */
const programs = examples("ts").filter((text) => text.startsWith("import"));
const snippets = examples("ts")
  .filter((text) => !text.startsWith("import"))
  .map((text) => [text.split("\n")[0] ?? "", text] as const);

/** What the program prints. */
async function run(program: string): Promise<string> {
  const own = program
    .replace(/"\.\/(data.*)"/, (_, name: string) => JSON.stringify(join(directory, name)))
    .replace("varve://127.0.0.1:7420", server.url);
  expect(own).not.toBe(program);
  const args = ["--input-type=module-typescript", "--eval", own];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  return stdout;
}

let directory: string;
let server: ServerProcess;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "varve-readme-"));
  server = await startServer(join(directory, "served"), ["--http-port", "0"]);
});

afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

test("both programs print the value and the entry", async () => {
  expect(programs).toHaveLength(2);
  for (const program of programs) {
    const stdout = await run(program);
    expect(stdout).toMatch(/^Ada\nUint8Array\(7\) .+Uint8Array\(3\)/s);
  }
});

test.each(snippets)(
  "the example that begins with %s prints what it says, both ways",
  async (_, text) => {
    const printed = [...text.matchAll(/console\.log\(.*\); \/\/ (.+)\n/g)].map((match) => match[1]);
    expect(printed.length).toBeGreaterThan(0);
    for (const [i, program] of programs.entries()) {
      // A database of its own, and on the server, which all share, keys of its own by and by.
      const opening = program.split("\n").slice(0, 3).join("\n").replace("./data", `./data-${i}`);
      const cleaning = "for await (const [key] of db.scan()) await db.delete(key);";
      const stdout = await run(`${opening}\n${cleaning}\n${text}`);
      expect(stdout.trimEnd().split("\n")).toEqual(printed);
    }
  },
);

const shellLines = examples("bash").flatMap((block) =>
  block.split("\n").filter((line) => line !== ""),
);

test("every curl line of the README does what it asks for, but for the port as it stands", async () => {
  const lines = shellLines.filter((line) => line.startsWith("curl"));
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) {
    const own = line.replace("localhost:8000", `localhost:${server.httpPort}`);
    const { stdout } = await promisify(execFile)("sh", ["-c", own]);
    expect(stdout, line).not.toContain('"code"');
    if (!line.includes("DELETE")) expect(stdout, line).not.toBe("");
  }
});

test("every shell command of the README is a script that runs", async () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  for (const line of shellLines.filter((text) => !text.startsWith("curl"))) {
    const [, script = ""] = /^npm (?:run )?([a-z]+)/.exec(line) ?? [];
    expect(scripts, line).toHaveProperty(script);
    const [, given] = /^npm run varve -- (.*?)(?: +#.*)?$/.exec(line) ?? [];
    if (given === undefined) continue;
    const words = given.replace("./data", join(directory, "data"));
    const cli = join(root, "src/cli/varve.ts");
    const env = { ...process.env, VARVE_URL: server.url };
    await promisify(execFile)(process.execPath, [cli, ...words.split(" ")], { env });
  }
});

test("every file that a README links to is there", () => {
  for (const folder of ["", "src", "protocol", "client", "test", "bench"]) {
    const text = readFileSync(join(root, folder, "README.md"), "utf8");
    for (const [, link = ""] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      if (!link.startsWith("http")) expect(existsSync(join(root, folder, link)), link).toBe(true);
    }
  }
});
