/**
 * The load of the `http` suite: autocannon in a process of its own, with keep-alive and one request in flight on
 * each connection. Each connection goes through requests of its own.
 *
 * Autocannon's own histogram counts whole milliseconds, so latencies are taken from its event of each response.
 */
import { parseArgs } from "node:util";
import autocannon from "autocannon";
import type { Figures } from "../support/compare.ts";
import { percentile } from "../support/percentile.ts";
import { answerQuestions } from "../support/side-process.ts";
import { type Data, deal, type HttpRequest, loadRequests, requestsOf } from "./requests.ts";
import { KINDS, type Kind, TASKS } from "./tasks.ts";

export interface ClientSpec {
  /** `http://host:port`. */
  readonly url: string;
  readonly data: Data;
}

export type ClientQuestion =
  | { readonly load: true }
  | { readonly task: string; readonly milliseconds: number };

/** What a run comes to; latencies in milliseconds. */
export interface ClientFigures extends Figures {
  /** Requests answered each second, once every connection had its first answer. */
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** All requests that were answered, also before that. */
  readonly answered: number;
  /** How much of one core the client took. */
  readonly clientShare: number;
}

const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as ClientSpec;

const JSON_HEADERS = { "content-type": "application/json" };
const LOAD_BATCH = 500;
const LATENCIES_MAX = 2_000_000;
/** How often autocannon looks whether it is to stop. */
const SAMPLE_MS = 10;
/** Longer than any run; a run is stopped. */
const DURATION_SECONDS = 3600;

const latenciesMs = new Float64Array(LATENCIES_MAX);
const requests = new Map<Kind, HttpRequest[]>(
  KINDS.map((kind) => [kind, requestsOf(kind, spec.data)]),
);

async function load(): Promise<void> {
  for (const { method, path, body } of loadRequests(spec.data, LOAD_BATCH)) {
    const init = { method, headers: JSON_HEADERS, body: body ?? null };
    const response = await fetch(spec.url + path, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  }
}

/** The requests of each connection, in autocannon's form, which it writes into. */
function hands(kind: Kind, connections: number): autocannon.Request[][] {
  const dealt = deal(requests.get(kind) ?? [], connections);
  return dealt.map((hand) =>
    hand.map(({ method, path, body }) =>
      body === undefined ? { method, path } : { method, path, body, headers: JSON_HEADERS },
    ),
  );
}

function measure(
  { kind, connections }: (typeof TASKS)[number],
  milliseconds: number,
): Promise<ClientFigures> {
  const dealt = hands(kind, connections);
  const leastBytes = kind === "GET" || kind === "PUT" ? spec.data.valueBytes : 0;
  const waitedFor = new Set<autocannon.Client>();
  let answered = 0;
  let counted = 0;
  let isCounting = false;
  let startedMs = 0;
  let usage = process.cpuUsage();
  globalThis.gc?.();
  return new Promise((resolve, reject) => {
    let figures: ClientFigures | undefined;
    let wrong: string | undefined;
    const instance = autocannon(
      {
        url: spec.url,
        connections,
        pipelining: 1,
        duration: DURATION_SECONDS,
        sampleInt: SAMPLE_MS,
        setupClient(client) {
          waitedFor.add(client);
          client.setRequests(dealt.pop() ?? []);
        },
      },
      (error: unknown) => {
        if (error) reject(error);
        else if (wrong !== undefined) reject(new Error(wrong));
        else if (figures !== undefined) resolve(figures);
        else reject(new Error("autocannon stopped by itself"));
      },
    );
    const fail = (reason: string) => {
      wrong ??= reason;
      instance.stop();
    };
    const begin = () => {
      isCounting = true;
      startedMs = performance.now();
      usage = process.cpuUsage();
      setTimeout(end, milliseconds);
    };
    const end = () => {
      isCounting = false;
      const tookMs = performance.now() - startedMs;
      const { user, system } = process.cpuUsage(usage);
      instance.stop();
      const sorted = latenciesMs.slice(0, Math.min(counted, LATENCIES_MAX)).sort();
      figures = {
        rate: (counted / tookMs) * 1000,
        p50: percentile(sorted, 50),
        p99: percentile(sorted, 99),
        p999: percentile(sorted, 99.9),
        answered,
        clientShare: (user + system) / 1000 / tookMs,
      };
    };
    instance.on("reqError", (error) => fail(String(error)));
    instance.on("response", (client, statusCode, bytes, responseMs) => {
      if (statusCode !== 200 || bytes < leastBytes) fail(`${statusCode} with ${bytes} bytes`);
      answered++;
      if (isCounting) {
        if (counted < LATENCIES_MAX) latenciesMs[counted] = responseMs;
        counted++;
      } else if (waitedFor.delete(client) && waitedFor.size === 0) begin();
    });
  });
}

answerQuestions(async (question: ClientQuestion) => {
  if ("load" in question) return load();
  const task = TASKS.find(({ name }) => name === question.task);
  if (task === undefined) throw new Error(`${question.task} is not a task`);
  return measure(task, question.milliseconds);
});
