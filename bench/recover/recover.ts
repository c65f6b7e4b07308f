/**
 * `recover`: how fast the log is replayed at open, beside reading and checksumming the same bytes and doing
 * nothing with them. Every round is a fresh process on a fresh copy of the files.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { interleave, median, ratioRow } from "../support/compare.ts";
import { machine } from "../support/machine.ts";
import { plainRow, type SuiteReport, type SuiteRequest } from "../support/report.ts";

interface Replay {
  readonly seconds: number;
  readonly bytes: number;
}

const MB = 1e6;

async function run(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = await Promise.all([text(child.stdout), once(child, "exit")]);
  return said;
}

export async function runRecover(request: SuiteRequest): Promise<SuiteReport> {
  const entries = request.entries ?? (request.quick ? 400_000 : 1_000_000);
  const rounds = request.rounds ?? (request.quick ? 3 : 5);
  const root = await mkdtemp(join(tmpdir(), "varve-recover-"));
  const [original, copy] = [join(root, "original"), join(root, "copy")];
  try {
    await run("fill.ts", ["--directory", original, "--entries", String(entries)]);
    let logBytes = 0;
    const side = (name: string, how: string) => ({
      name,
      run: async () => {
        await rm(copy, { recursive: true, force: true });
        await cp(original, copy, { recursive: true });
        const said = await run("replay.ts", [
          ...["--directory", copy, "--entries", String(entries)],
          ...["--how", how],
        ]);
        const report = JSON.parse(said) as Replay;
        if (how === "replay") logBytes = report.bytes;
        return { megabytes: report.bytes / MB / report.seconds };
      },
    });
    const alone = "read and checksum alone";
    const sides = [side("varve", "replay"), side(alone, "alone")];
    const samples = await interleave(sides, "replay", rounds);
    const rates = (samples.get("varve") ?? []).map(({ megabytes = 0 }) => megabytes);
    return {
      suite: "recover",
      quick: request.quick,
      machine: machine(),
      options: {
        entries,
        rounds,
        keyBytes: 16,
        valueBytes: 100,
        batch: 100,
        logMegabytes: logBytes / MB,
        open: "defaults",
      },
      rows: [
        plainRow("log replay", median(rates), "MB/s", { atLeast: 200 }),
        ratioRow(samples, alone, { row: "log replay", figure: "megabytes", unit: "MB/s" }),
      ],
    };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
