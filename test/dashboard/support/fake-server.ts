/** Serves the page, with a made-up server behind it that a test can put into any state. */
import { type FastifyInstance, fastify } from "fastify";
import type {
  ConnectionsAnswer,
  SlowOperation,
  StatsAnswer,
} from "../../../dashboard/data/admin-types.ts";
import { addDashboard } from "../../../src/http/dashboard-routes.ts";
import { bytesOf, FakeAdmin } from "./fake-admin.ts";
import { FakeKv, KEY_PREFIX, problem } from "./fake-kv.ts";

const ADMIN = "/kv-store/v1/admin";

const NO_MEMORY = { budget: 1, memtables: 0, tables: 0, blocks: 0, ingest: 0, resident: 1 };

export class FakeServer {
  readonly admin = new FakeAdmin(7, Date.now());
  readonly kv = new FakeKv();
  role: "read" | "write" = "write";
  isReadOnly = false;
  /** Asked for where given. */
  token: string | undefined;
  /** What `/readyz` says against the server. */
  reasons: string[] = [];
  isSpaceLow = false;
  bytesPerSecond: number | null = null;
  slow: SlowOperation[] = [];
  #app: FastifyInstance | undefined;
  #clock: NodeJS.Timeout | undefined;
  #port = 0;
  readonly #startedAt = Date.now() - 7_460_000;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Again at the same port, after `stop`. */
  async start(port = this.#port): Promise<void> {
    const app = fastify({
      forceCloseConnections: true,
      // Keys are any bytes, which are not for the router to decode.
      rewriteUrl: ({ url = "/" }) => (isOfKey(url) ? `${KEY_PREFIX}key` : url),
    });
    app.addHook("onRequest", async (request, reply) => {
      const isOpen = !request.url.startsWith("/kv-store/");
      if (isOpen || this.token === undefined) return;
      if (request.headers.authorization === `Bearer ${this.token}`) return;
      return problem(reply, 401, "UNAUTHENTICATED", "a token is needed");
    });
    addDashboard(app);
    this.kv.addRoutes(app);
    this.#addAdmin(app);
    const address = await app.listen({ port, host: "127.0.0.1" });
    this.#app = app;
    this.#port = Number(new URL(address).port);
  }

  /** The made-up server lives on its own, a step a second; tests step by hand. */
  run(): void {
    this.#clock = setInterval(() => this.admin.step(Date.now()), 1000);
  }

  async stop(): Promise<void> {
    clearInterval(this.#clock);
    await this.#app?.close();
    this.#app = undefined;
  }

  stats(): StatsAnswer {
    const memory = this.admin.samples.at(-1)?.memory ?? NO_MEMORY;
    return {
      time: Date.now(),
      version: "0.1.0",
      uptime_ms: Date.now() - this.#startedAt,
      access: { role: this.role, read_only: this.isReadOnly },
      store: {
        levels: this.admin.levels.map((tables, level) => ({
          level,
          files: tables.length,
          bytes: bytesOf(tables),
          entries: tables.reduce((sum, { entries }) => sum + entries, 0),
        })),
        memory,
        writes: { operations: 123_456_789, batches: 2_345_678 },
        bytesWritten: { user: 9e9, amplification: 5.1 },
        background: { debtBytes: 0, failure: null },
        delays: {
          delayed: { memtables: 0, level0: 31, debt: 12 },
          delayedMs: 1234,
          refused: 0,
          bytesPerSecond: this.bytesPerSecond,
          waiting: 0,
        },
        space: { isLow: this.isSpaceLow, refused: this.isSpaceLow ? 17 : 0 },
        snapshots: 1,
        openScans: 2,
        sequence: 123_456_789,
      },
      process: { resident_bytes: memory.resident, heap_used_bytes: 9e7, cpu_share: 0.63 },
      loop_delay: { p50_ms: 0.2, p99_ms: 2.1, max_ms: 14 },
    };
  }

  #addAdmin(app: FastifyInstance): void {
    app.get("/readyz", (_request, reply) => {
      if (this.reasons.length === 0) return reply.send({ status: "ready" });
      return problem(reply, 503, "OVERLOADED", this.reasons.join("; "), { reasons: this.reasons });
    });
    app.get(`${ADMIN}/stats/`, async () => this.stats());
    app.get<{ Querystring: { after?: string } }>(`${ADMIN}/samples/`, async ({ query }) => ({
      interval_ms: 1000,
      samples: this.admin.samples.filter(({ time }) => time > Number(query.after ?? 0)),
    }));
    app.get(`${ADMIN}/tree/`, async () => this.admin.tree());
    app.get(`${ADMIN}/slow/`, async () => ({ threshold_ms: 100, operations: this.slow }));
    app.get(`${ADMIN}/connections/`, async () => connections());
  }
}

function isOfKey(url: string): boolean {
  return url.startsWith(KEY_PREFIX) && !url.startsWith(`${KEY_PREFIX}?`);
}

function connections(): ConnectionsAnswer {
  const tcp = Array.from({ length: 6 }, (_, i) => ({
    id: i + 1,
    peer: `127.0.0.1:${50_100 + i}`,
    client: i === 2 ? null : "varve-client 0.1.0",
    since: Date.now() - 60_000 * (i + 1),
    in_flight: i * 7,
    scans: i % 2,
    watches: i % 3 === 0 ? 1 : 0,
    bytes_in: 12_345_678 * (i + 1),
    bytes_out: 45_678_901 * (i + 1),
  }));
  return { tcp, tcp_total: 24, http_total: 3 };
}
