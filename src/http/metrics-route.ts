/** `GET /metrics`, for Prometheus: all is read off at one moment, when it is asked for. */
import { Counter, Gauge, Registry } from "prom-client";
import { Type } from "typebox";
import type { AdminContext } from "./admin-routes.ts";
import type { HttpApp } from "./http-app.ts";
import { LatencyMetric } from "./latency-metric.ts";
import { METRIC_FAMILIES, type MetricFamily, type Scrape } from "./metric-families.ts";
import { problems } from "./schemas.ts";

export function addMetricsRoute(app: HttpApp, context: AdminContext): void {
  const { store, telemetry, version, isReadOnly } = context;
  const look = (): Scrape => ({
    store: store.stats(),
    layout: store.layout(),
    doors: { tcp: telemetry.door("tcp"), http: telemetry.door("http") },
    telemetry,
    version,
    isReadOnly,
  });
  let scrape = look();
  // Of its own, so that two servers in one process do not tell of one another.
  const registry = new Registry();
  registry.registerMetric(new LatencyMetric(telemetry.meter));
  for (const family of METRIC_FAMILIES) register(registry, family, () => scrape);

  app.get(
    "/metrics",
    {
      schema: {
        operationId: "getMetrics",
        tags: ["admin"],
        summary: "Metrics for Prometheus",
        description: "In the text format 0.0.4.",
        produces: ["text/plain"],
        response: {
          200: Type.String({ description: "Families with their HELP and TYPE." }),
          ...problems(),
        },
      },
    },
    async (_request, reply) => {
      scrape = look();
      // Begins to read them all in this step.
      const text = registry.metrics();
      return reply
        .header("cache-control", "no-store")
        .type(registry.contentType)
        .send(await text);
    },
  );
}

function register(registry: Registry, family: MetricFamily, scrapeNow: () => Scrape): void {
  const { name, help, labels, read } = family;
  const options = { name, help, labelNames: labels, registers: [registry] };
  if (family.type === "counter") {
    new Counter({
      ...options,
      collect() {
        this.reset();
        for (const [of, value] of read(scrapeNow())) this.inc({ ...of }, value);
      },
    });
  } else {
    new Gauge({
      ...options,
      collect() {
        this.reset();
        for (const [of, value] of read(scrapeNow())) this.set({ ...of }, value);
      },
    });
  }
}
