/** The requests of the `http` suite, made from their number: the same for every side, and in every process. */
import { asciiKeyAt, asciiValues } from "../server/ascii-data.ts";
import { randomNumbers } from "../support/keys.ts";
import { type Kind, MANY } from "./tasks.ts";

const API = "/kv-store/v1/kv/";
const BATCH_API = `${API}batch/`;
const VALUES = 1000;

export interface HttpRequest {
  readonly method: "GET" | "PUT" | "POST";
  readonly path: string;
  /** JSON. */
  readonly body?: string;
}

/** What the requests are about. */
export interface Data {
  readonly entries: number;
  /** A multiple of four. */
  readonly valueBytes: number;
  /** How many different requests of a kind there are; of those about many entries, a tenth of it. */
  readonly different: number;
}

export function pathOf(key: string): string {
  return `${API}${key}/`;
}

function batchOf(items: readonly { readonly key: string; readonly value: string }[]): HttpRequest {
  return { method: "POST", path: BATCH_API, body: JSON.stringify({ items }) };
}

/** The different requests of a kind, at random keys of those that were loaded. */
export function requestsOf(kind: Kind, data: Data): HttpRequest[] {
  const next = randomNumbers(31);
  const values = asciiValues(VALUES, data.valueBytes).map(({ text }) => text);
  const key = () => asciiKeyAt(next(data.entries)).text;
  const item = () => ({ key: key(), value: values[next(VALUES)] ?? "" });
  const times = <Made>(count: number, make: () => Made) => Array.from({ length: count }, make);
  switch (kind) {
    case "GET":
      return times(data.different, () => ({ method: "GET", path: pathOf(key()) }));
    case "PUT":
      return times(data.different, () => {
        const { key: of, value } = item();
        return { method: "PUT", path: pathOf(of), body: JSON.stringify({ value }) };
      });
    case "range": {
      const sorted = times(data.entries, () => "").map((_, i) => asciiKeyAt(i).text);
      sorted.sort();
      return times(data.different / 10, () => {
        const first = next(data.entries - MANY + 1);
        const [start, end] = [sorted[first], sorted[first + MANY - 1]];
        return { method: "GET", path: `${API}?start=${start}&end=${end}&limit=${MANY}` };
      });
    }
    case "batch":
      return times(data.different / 10, () => {
        const items = new Map<string, ReturnType<typeof item>>();
        for (let made = item(); items.size < MANY; made = item()) items.set(made.key, made);
        return batchOf([...items.values()]);
      });
  }
}

/** The batches, of at most `size` entries, that write every entry once. */
export function* loadRequests(data: Data, size: number): Generator<HttpRequest> {
  const values = asciiValues(VALUES, data.valueBytes);
  for (let first = 0; first < data.entries; first += size) {
    const count = Math.min(size, data.entries - first);
    yield batchOf(
      Array.from({ length: count }, (_, i) => ({
        key: asciiKeyAt(first + i).text,
        value: values[(first + i) % VALUES]?.text ?? "",
      })),
    );
  }
}

/** `all` dealt among `hands`, which have as many each, up to one; where there are too few, some are dealt again. */
export function deal<Card>(all: readonly Card[], hands: number): Card[][] {
  const size = Math.max(1, Math.ceil(all.length / hands));
  return Array.from({ length: hands }, (_, hand) =>
    Array.from({ length: size }, (_card, i) => all[(hand + i * hands) % all.length] as Card),
  );
}
