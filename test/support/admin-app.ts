/** A database in memory behind the admin and metrics routes, with nothing of the rest of the HTTP door. */
import { fastify } from "fastify";
import { onTestFinished } from "vitest";
import { Database } from "../../src/engine/database.ts";
import type { OpenOptions } from "../../src/engine/open-options.ts";
import { type AdminContext, addAdminRoutes } from "../../src/http/admin-routes.ts";
import type { HttpApp } from "../../src/http/http-app.ts";
import { addMetricsRoute } from "../../src/http/metrics-route.ts";
import { Telemetry, type TelemetrySources } from "../../src/telemetry/telemetry.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryFileSystem } from "./memory-file-system.ts";
import { TINY_SETTINGS } from "./tiny-settings.ts";

export interface AdminFixture {
  readonly app: HttpApp;
  readonly database: Database;
  readonly telemetry: Telemetry;
  readonly clock: ManualClock;
  readonly context: AdminContext;
  /** The answer's JSON. Throws where it is not 200. */
  json(path: string): Promise<Record<string, unknown>>;
}

export async function startAdminApp(
  sources: Partial<TelemetrySources> = {},
  options: OpenOptions = {},
  changes: Partial<AdminContext> = {},
): Promise<AdminFixture> {
  const database = await Database.open("/db", {
    ...TINY_SETTINGS,
    fs: new MemoryFileSystem(),
    background: "inline",
    ...options,
  });
  const clock = new ManualClock();
  const telemetry = new Telemetry({
    store: () => database.stats(),
    tcp: () => ({ connections: 3, bytesIn: 0, bytesOut: 0 }),
    http: () => ({ connections: 1 }),
    clock,
    ...sources,
  });
  telemetry.start();
  const app: HttpApp = fastify({ routerOptions: { ignoreTrailingSlash: true } });
  const context = { store: database, telemetry, version: "1.2.3", isReadOnly: false, ...changes };
  addAdminRoutes(app, context);
  addMetricsRoute(app, context);
  onTestFinished(async () => {
    telemetry.stop();
    await app.close();
    await database.close();
  });
  const json = async (path: string) => {
    const answer = await app.inject(path);
    if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${answer.body}`);
    return answer.json<Record<string, unknown>>();
  };
  return { app, database, telemetry, clock, context, json };
}
