/**
 * `npm run bench -- SUITE`: runs a suite, prints its table and, where asked to, writes its rows as JSON and
 * its ratios as a chart. Exits with 1 where a row misses its target.
 */
import { writeFileSync } from "node:fs";
import { constants } from "node:os";
import { parseArgs } from "node:util";
import { runEngine } from "./engine/engine.ts";
import { runHttp } from "./http/http.ts";
import { runIngest } from "./ingest/ingest.ts";
import { runLargerThanMemory } from "./larger-than-memory/larger-than-memory.ts";
import { runLoad } from "./load/load.ts";
import { runRecover } from "./recover/recover.ts";
import { runRevision } from "./revision/revision.ts";
import { runScale } from "./scale/scale.ts";
import { runServer } from "./server/server.ts";
import { runSpace } from "./space/space.ts";
import { runStall } from "./stall/stall.ts";
import { ratioChart } from "./support/chart.ts";
import {
  formatReport,
  reportAsJson,
  type SuiteReport,
  type SuiteRequest,
} from "./support/report.ts";
import { runYcsb } from "./ycsb/ycsb.ts";

const SUITES: Readonly<Record<string, (request: SuiteRequest) => Promise<SuiteReport>>> = {
  load: runLoad,
  engine: runEngine,
  server: runServer,
  http: runHttp,
  recover: runRecover,
  ycsb: runYcsb,
  "larger-than-memory": runLargerThanMemory,
  scale: runScale,
  stall: runStall,
  space: runSpace,
  ingest: runIngest,
  revision: runRevision,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    svg: { type: "string" },
    entries: { type: "string" },
    rounds: { type: "string" },
    seconds: { type: "string" },
    only: { type: "string" },
    against: { type: "string" },
  },
});
const [name = ""] = positionals;
const suite = SUITES[name];
if (suite === undefined) {
  process.stderr.write(
    "usage: npm run bench -- SUITE [--quick] [--entries N] [--rounds N] [--seconds N] [--only TEXT]\n" +
      `         [--against DIR] [--json FILE] [--svg FILE]; SUITE is one of: ${Object.keys(SUITES).join(", ")}\n`,
  );
  process.exit(2);
}

function wholeNumber(option: "entries" | "rounds" | "seconds"): number | undefined {
  const text = values[option];
  if (text === undefined) return undefined;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  process.stderr.write(`--${option} takes a whole number from 1, not ${text}\n`);
  process.exit(2);
}

// Of itself a signal would end the process with nothing of what is done at its exit: ending sides, removing files.
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

const report = await suite({
  quick: values.quick,
  entries: wholeNumber("entries"),
  rounds: wholeNumber("rounds"),
  seconds: wholeNumber("seconds"),
  only: values.only,
  against: values.against,
});
process.stdout.write(formatReport(report));
if (values.json !== undefined) writeFileSync(values.json, reportAsJson(report));
if (values.svg !== undefined) writeFileSync(values.svg, report.chart ?? ratioChart(report));
if (report.rows.some((row) => row.met === false)) process.exitCode = 1;
