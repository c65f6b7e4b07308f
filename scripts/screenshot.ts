/**
 * Takes docs/dashboard.png: the operator's page in Chromium, before a real server that is written to and read over TCP
 * for a while. `npm run screenshot`; needs /usr/bin/chromium.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { connect, type VarveClient } from "varve-client";

const PICTURE = join(import.meta.dirname, "..", "docs", "dashboard.png");
const LOAD_MS = 70_000;
const CALLERS = 24;
const KEYS = 500_000;
const VALUE_BYTES = 320;
/** What the picture may weigh in the repository. */
const PICTURE_BYTES_MAX = 400 * 1024;
const CHROMIUM_ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

interface Ports {
  readonly port: number;
  readonly httpPort: number;
}

const directory = await mkdtemp(join(tmpdir(), "varve-screenshot-"));
const script = join(import.meta.dirname, "screenshot-server.ts");
const server = spawn(process.execPath, [script, join(directory, "data")], {
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  const { port, httpPort } = await portsOf(server);
  await using client = await connect(`varve://127.0.0.1:${port}`);
  await fill(client);
  const until = performance.now() + LOAD_MS;
  const load = Promise.all(
    Array.from({ length: CALLERS }, (_, caller) => work(client, caller, until)),
  );
  await takePicture(`http://127.0.0.1:${httpPort}/`, LOAD_MS - 8000);
  await load;
} finally {
  server.kill("SIGTERM");
  if (server.exitCode === null) await once(server, "exit");
  await rm(directory, { recursive: true, force: true });
}
const { size } = await stat(PICTURE);
if (size > PICTURE_BYTES_MAX) throw new Error(`${PICTURE} has ${size} bytes, too many to keep`);
console.log(`${PICTURE}: ${size} bytes`);

async function portsOf({ stdout }: ChildProcess): Promise<Ports> {
  if (stdout === null) throw new Error("the server's output is not piped");
  for await (const line of createInterface({ input: stdout })) return JSON.parse(line) as Ports;
  throw new Error("the server ended before it served");
}

function keyOf(number: number): string {
  return `orders/${String(number).padStart(9, "0")}`;
}

/** Half text, half noise, so that it is compressed about as well as what people store. */
function valueFor(number: number): Buffer {
  const value = Buffer.alloc(VALUE_BYTES, `{"order":${number},"state":"paid","lines":[]}`);
  crypto.getRandomValues(value.subarray(VALUE_BYTES / 2));
  return value;
}

/** Everything once, in no order. */
async function fill(client: VarveClient): Promise<void> {
  const step = 7919;
  for (let from = 0; from < KEYS; from += 500) {
    const operations = Array.from({ length: 500 }, (_, i) => {
      const number = ((from + i) * step) % KEYS;
      return { type: "put" as const, key: keyOf(number), value: valueFor(number) };
    });
    await client.batch(operations, { durability: "none" });
  }
}

/** One caller's mix of reads and writes. */
async function work(client: VarveClient, caller: number, until: number): Promise<void> {
  const any = () => Math.floor(Math.random() * KEYS);
  while (performance.now() < until) {
    const number = any();
    const dice = Math.random();
    if (caller < 2) {
      for await (const _ of client.scan({ gte: keyOf(number), limit: 100 }));
      continue;
    }
    if (dice < 0.62) await client.get(keyOf(number));
    else if (dice < 0.7) await client.getMany([any(), any(), any(), any()].map(keyOf));
    else if (dice < 0.94) await client.put(keyOf(number), valueFor(number));
    else if (dice < 0.97) await client.delete(keyOf(number));
    else await client.increment(`visits/${number % 100}`);
  }
}

/** After a while under load, at a moment at which a compaction can be seen. */
async function takePicture(url: string, afterMs: number): Promise<void> {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: CHROMIUM_ARGUMENTS,
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 1180 } });
    await page.goto(url);
    await page.locator("body.has-data").waitFor();
    await page.waitForTimeout(afterMs);
    const running = page.locator("#tasks-running li", { hasText: "Compaction" }).first();
    // The picture is good without one, too.
    await running.waitFor({ timeout: 6000 }).catch(() => {});
    await page.screenshot({ path: PICTURE });
  } finally {
    await browser.close();
  }
}
