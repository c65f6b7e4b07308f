/**
 * The meter's latencies as a Prometheus histogram. Its buckets end at powers of two of a microsecond, where buckets of
 * the meter end, too; so what is told is what was counted, and nothing is estimated.
 */
import { Histogram } from "prom-client";
import { BUCKETS, bucketAfterPower } from "../telemetry/latency-buckets.ts";
import { type OperationMeter, slotOf } from "../telemetry/operation-meter.ts";
import { DOORS, OPERATIONS } from "../telemetry/operations.ts";

export const LATENCY_METRIC = "varve_operation_duration_seconds";

/** From 2 µs, by twos, to 34 s. */
const POWERS = Array.from({ length: 25 }, (_, i) => i + 1);

type Labels = "door" | "operation" | "le";
type Told = Awaited<ReturnType<Histogram<Labels>["get"]>>;

export class LatencyMetric extends Histogram<Labels> {
  readonly #meter: OperationMeter;

  constructor(meter: OperationMeter) {
    super({
      name: LATENCY_METRIC,
      help: "How long operations took, from when they had come to when their answer was ready.",
      labelNames: ["door", "operation"],
      registers: [],
    });
    this.#meter = meter;
  }

  /** What `prom-client` asks its own histograms for; its types leave it out, and the fields beside the values. */
  async getForPromString(): Promise<Told> {
    return { ...(this as unknown as Told), values: this.#values() };
  }

  #values(): Told["values"] {
    const values: Told["values"] = [];
    for (const door of DOORS) {
      for (const operation of OPERATIONS) {
        const slot = slotOf(door, operation);
        const counts = this.#meter.bucketsOf(slot);
        if (this.#meter.counts[slot] === 0) continue;
        let total = 0;
        let at = 0;
        const addUpTo = (end: number) => {
          for (; at < end; at++) total += counts[at] ?? 0;
        };
        for (const power of POWERS) {
          addUpTo(bucketAfterPower(power));
          const labels = { door, operation, le: 2 ** power / 1e6 };
          values.push({ metricName: `${LATENCY_METRIC}_bucket`, labels, value: total });
        }
        addUpTo(BUCKETS);
        const all = { metricName: `${LATENCY_METRIC}_bucket`, value: total };
        values.push({ ...all, labels: { door, operation, le: "+Inf" } });
        const sum = (this.#meter.sumsMs[slot] ?? 0) / 1000;
        const labels = { door, operation };
        values.push({ metricName: `${LATENCY_METRIC}_sum`, labels, value: sum });
        values.push({ metricName: `${LATENCY_METRIC}_count`, labels, value: total });
      }
    }
    return values;
  }
}
