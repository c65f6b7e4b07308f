/**
 * `npm run bench -- SUITE [--quick] [--json FILE]`: runs a suite, prints its table and, where asked to,
 * writes its rows as JSON. Exits with 1 where a row misses its target.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runLoad } from "./load/load.ts";
import { printReport, type SuiteReport } from "./support/report.ts";

const SUITES: Readonly<Record<string, (quick: boolean) => Promise<SuiteReport>>> = {
  load: runLoad,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, json: { type: "string" } },
});
const [name = ""] = positionals;
const suite = SUITES[name];
if (suite === undefined) {
  const names = Object.keys(SUITES).join(", ");
  process.stderr.write(
    `usage: npm run bench -- SUITE [--quick] [--json FILE]; SUITE is one of: ${names}\n`,
  );
  process.exit(2);
}
const report = await suite(values.quick);
printReport(report);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
if (report.rows.some((row) => row.met === false)) process.exitCode = 1;
