/**
 * What the operator's page shows, as JSON: counters, the samples of the last ten minutes, the tree, slow operations and
 * connections. All of it is in memory; a page that asks every second costs the store nothing.
 */
import type { TreeLayout } from "../engine/layout.ts";
import type { DatabaseStats } from "../engine/stats.ts";
import { SAMPLE_INTERVAL_MS, type Telemetry } from "../telemetry/telemetry.ts";
import { type Drawing, drawTables, treePicture } from "../telemetry/tree-picture.ts";
import { Connections, Samples, SamplesQuery, Slow, Stats, Tree } from "./admin-schemas.ts";
import type { HttpApp } from "./http-app.ts";
import { problems } from "./schemas.ts";

const ADMIN_PATH = "/kv-store/v1/admin";
const CONNECTIONS_MAX = 200;

/** What these routes need of the server that they belong to. */
export interface AdminContext {
  readonly store: { stats(): DatabaseStats; layout(): TreeLayout };
  readonly telemetry: Telemetry;
  readonly version: string;
  readonly isReadOnly: boolean;
  readonly access?: { roleOf(authorization: string | undefined): "read" | "write" };
}

export function addAdminRoutes(app: HttpApp, context: AdminContext): void {
  const { store, telemetry } = context;
  const tags = ["admin"];
  // What comes of the tables alone is drawn once for each of their states.
  let drawing: Drawing | undefined;

  app.get(
    `${ADMIN_PATH}/stats/`,
    {
      schema: {
        operationId: "getStats",
        tags,
        summary: "What is counted",
        description: "Counters run from the start of the process.",
        response: { 200: Stats, ...problems() },
      },
    },
    async (request, reply) => {
      const { p50Ms, p99Ms, maxMs } = telemetry.loopDelay;
      const { rss, heapUsed } = process.memoryUsage();
      reply.header("cache-control", "no-store");
      return {
        time: Date.now(),
        version: context.version,
        uptime_ms: telemetry.uptimeMs,
        access: {
          role: context.access?.roleOf(request.headers.authorization) ?? "write",
          read_only: context.isReadOnly,
        },
        store: store.stats(),
        tcp: telemetry.door("tcp"),
        http: telemetry.door("http"),
        process: {
          resident_bytes: rss,
          heap_used_bytes: heapUsed,
          cpu_share: telemetry.cpuShare,
        },
        loop_delay: { p50_ms: p50Ms, p99_ms: p99Ms, max_ms: maxMs },
      };
    },
  );

  app.get(
    `${ADMIN_PATH}/samples/`,
    {
      schema: {
        operationId: "getSamples",
        tags,
        summary: "The last ten minutes, second by second",
        description:
          "A page asks for all of them once, and then for those after the last that it has.",
        querystring: SamplesQuery,
        response: { 200: Samples, ...problems() },
      },
    },
    async (request, reply) => {
      reply.header("cache-control", "no-store");
      const samples = telemetry.samples(request.query.after);
      return { interval_ms: SAMPLE_INTERVAL_MS, samples };
    },
  );

  app.get(
    `${ADMIN_PATH}/tree/`,
    {
      schema: {
        operationId: "getTree",
        tags,
        summary: "The tree as it is",
        description:
          "Each table is a brick, in its level and by its key range; beyond 400 in a level, neighbours are one brick. " +
          "Places are by what is stored, not by what keys say: a range that has twice as much is twice as wide.",
        response: { 200: Tree, ...problems() },
      },
    },
    async (_request, reply) => {
      reply.header("cache-control", "no-store");
      const layout = store.layout();
      if (drawing?.edits !== layout.edits) drawing = drawTables(layout);
      return treePicture(layout, drawing);
    },
  );

  app.get(
    `${ADMIN_PATH}/slow/`,
    {
      schema: {
        operationId: "getSlowOperations",
        tags,
        summary: "Operations that took long",
        description:
          "Scans count from the request to their end, at their client's pace. Watches and ingests are not among them. " +
          "Of writes through the TCP door no key is kept.",
        response: { 200: Slow, ...problems() },
      },
    },
    async (_request, reply) => {
      reply.header("cache-control", "no-store");
      const names = new Map(store.layout().keyspaces.map(({ id, name }) => [id, name]));
      return { threshold_ms: telemetry.slowMs, operations: telemetry.slowOperations(names) };
    },
  );

  app.get(
    `${ADMIN_PATH}/connections/`,
    {
      schema: {
        operationId: "getConnections",
        tags,
        summary: "Who is connected",
        response: { 200: Connections, ...problems() },
      },
    },
    async (_request, reply) => {
      reply.header("cache-control", "no-store");
      return {
        tcp: telemetry.connections(CONNECTIONS_MAX),
        tcp_total: telemetry.door("tcp").connections ?? 0,
        http_total: telemetry.door("http").connections ?? 0,
      };
    },
  );
}
