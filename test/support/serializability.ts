/**
 * Whether a history of transactions on lists is serializable, in the order of real time: each element is appended
 * once, so that what is read tells the order of the writes, and from that, who must come before whom:
 *
 *   ww  appended right before another appended           wr  appended what another read
 *   rw  read what another then appended to                rt  had ended when another began
 *
 * A cycle of these is an anomaly. A register is a list of which only the last element counts. A range that was scanned
 * is a read of every key that could be in it, which finds phantoms.
 *
 * Source of the idea: Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations" (2020).
 */
import type { RanTransaction, Step } from "./transaction-history.ts";

export type EdgeKind = "ww" | "wr" | "rw" | "rt";

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
}

type Graph = ReadonlyMap<string, ReadonlyMap<string, EdgeKind>>;

const INITIAL = "(nothing)";

/** What is wrong with a history, in words that name the transactions; empty where nothing is. */
export function anomaliesOf(history: readonly RanTransaction[]): string[] {
  const committed = history.filter((one) => one.committed);
  const writers = writersOf(history);
  const wrong = [...strangeReads(committed, writers), ...innerAnomalies(committed)];
  const orders = new Map<string, readonly string[]>();
  for (const { name, key, elements } of readsOf(committed)) {
    const longest = orders.get(key) ?? [];
    const [short, long] =
      elements.length < longest.length ? [elements, longest] : [longest, elements];
    if (short.some((element, i) => long[i] !== element)) {
      wrong.push(`incompatible order: ${name} read ${key} as ${elements}, another as ${longest}`);
    }
    orders.set(key, long);
  }
  if (wrong.length > 0) return wrong;
  const edges = edgesOf(committed, orders, writers);
  for (const [what, kinds] of CYCLES) {
    const cycle = cycleIn(graphOf(edges.filter(({ kind }) => kinds.includes(kind))));
    if (cycle !== undefined) return [`${what}: ${cycle}`];
  }
  return [];
}

/** From the worst; what is found first is told. */
const CYCLES: readonly (readonly [what: string, kinds: readonly EdgeKind[]])[] = [
  ["write cycle", ["ww"]],
  ["circular information flow", ["ww", "wr"]],
  ["anti-dependency cycle", ["ww", "wr", "rw"]],
  ["real-time violation", ["ww", "wr", "rw", "rt"]],
];

function* readsOf(history: readonly RanTransaction[]) {
  for (const { name, steps } of history) {
    for (const [at, { key, elements }] of outerReads(steps)) yield { name, at, key, elements };
  }
}

/** Reads of a key before the transaction has appended to it. */
function* outerReads(steps: readonly Step[]) {
  const own = new Set<string>();
  for (const [at, step] of steps.entries()) {
    if (step.type === "append") own.add(step.key);
    else if (!own.has(step.key)) yield [at, step] as const;
  }
}

function writersOf(history: readonly RanTransaction[]): Map<string, RanTransaction> {
  const writers = new Map<string, RanTransaction>();
  for (const one of history) {
    for (const step of one.steps) {
      if (step.type !== "append") continue;
      const id = idOf(step.key, step.element);
      if (writers.has(id)) throw new Error(`${id} is appended twice: the history tells nothing`);
      writers.set(id, one);
    }
  }
  return writers;
}

/** Elements that nobody, or nobody who committed, has appended; twice the same; or the middle of a transaction. */
function strangeReads(
  committed: readonly RanTransaction[],
  writers: ReadonlyMap<string, RanTransaction>,
): string[] {
  const wrong: string[] = [];
  for (const { name, key, elements } of readsOf(committed)) {
    if (new Set(elements).size !== elements.length) {
      wrong.push(`duplicate: ${name} read ${key} as ${elements}`);
    }
    for (const element of elements) {
      const writer = writers.get(idOf(key, element));
      if (writer === undefined) wrong.push(`made up: ${name} read ${element} in ${key}`);
      else if (!writer.committed) {
        wrong.push(
          `dirty read: ${name} read ${element} in ${key}, which ${writer.name} did not commit`,
        );
      }
    }
    const last = elements.at(-1);
    const writer = last === undefined ? undefined : writers.get(idOf(key, last));
    const final = writer?.steps.findLast((step) => step.type === "append" && step.key === key);
    if (
      writer !== undefined &&
      writer.name !== name &&
      final?.type === "append" &&
      final.element !== last
    ) {
      wrong.push(
        `intermediate read: ${name} read ${key} up to ${last}, in the middle of ${writer.name}`,
      );
    }
  }
  return wrong;
}

/** A transaction's reads of one key must agree with one another and with its own appends. */
function innerAnomalies(committed: readonly RanTransaction[]): string[] {
  const wrong: string[] = [];
  for (const { name, steps } of committed) {
    const known = new Map<string, string[]>();
    const appended = new Map<string, string[]>();
    for (const step of steps) {
      const own = appended.get(step.key) ?? [];
      if (step.type === "append") {
        known.get(step.key)?.push(step.element);
        appended.set(step.key, [...own, step.element]);
        continue;
      }
      const expected = known.get(step.key);
      const isSame =
        expected === undefined
          ? endsWith(step.elements, own)
          : `${expected}` === `${step.elements}`;
      if (!isSame)
        wrong.push(
          `internal: ${name} read ${step.key} as ${step.elements} after ${expected ?? own}`,
        );
      known.set(step.key, [...step.elements]);
    }
  }
  return wrong;
}

function endsWith(elements: readonly string[], end: readonly string[]): boolean {
  return `${end.length === 0 ? [] : elements.slice(-end.length)}` === `${end}`;
}

function edgesOf(
  committed: readonly RanTransaction[],
  orders: ReadonlyMap<string, readonly string[]>,
  writers: ReadonlyMap<string, RanTransaction>,
): Edge[] {
  const edges: Edge[] = [];
  const add = (from: string | undefined, to: string | undefined, kind: EdgeKind) => {
    if (from !== undefined && to !== undefined && from !== to) edges.push({ from, to, kind });
  };
  const writerOf = (key: string, element: string | undefined) =>
    element === undefined ? undefined : writers.get(idOf(key, element))?.name;
  for (const [key, order] of orders) {
    for (let i = 1; i < order.length; i++)
      add(writerOf(key, order[i - 1]), writerOf(key, order[i]), "ww");
  }
  for (const { name, key, elements } of readsOf(committed)) {
    const order = orders.get(key) ?? [];
    add(writerOf(key, elements.at(-1)), name, "wr");
    // Its own append may come next; then who comes after that is told by ww.
    add(name, writerOf(key, order[elements.length]), "rw");
  }
  for (const one of committed) {
    for (const other of committed) if (one.ended < other.began) add(one.name, other.name, "rt");
  }
  return edges;
}

function graphOf(edges: readonly Edge[]): Graph {
  const graph = new Map<string, Map<string, EdgeKind>>();
  for (const { from, to, kind } of edges) {
    const next = graph.get(from) ?? new Map<string, EdgeKind>();
    if (!next.has(to)) next.set(to, kind);
    graph.set(from, next);
  }
  return graph;
}

/** A shortest cycle, as text; `undefined` where there is none. */
function cycleIn(graph: Graph): string | undefined {
  let shortest: string[] | undefined;
  for (const start of namesOnCycles(graph)) {
    const path = pathBack(graph, start);
    if (path !== undefined && (shortest === undefined || path.length < shortest.length))
      shortest = path;
  }
  if (shortest === undefined) return undefined;
  const [first = INITIAL, ...rest] = shortest;
  let text = first;
  let from = first;
  for (const to of [...rest, first]) {
    text += ` -${graph.get(from)?.get(to)}-> ${to}`;
    from = to;
  }
  return text;
}

/** What is left when all that nothing leads to, or that leads nowhere, has been taken away again and again. */
function namesOnCycles(graph: Graph): Set<string> {
  const left = new Set(graph.keys());
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    const targets = new Set([...left].flatMap((name) => [...(graph.get(name)?.keys() ?? [])]));
    for (const name of [...left]) {
      const leads = [...(graph.get(name)?.keys() ?? [])].some((to) => left.has(to));
      if (!leads || !targets.has(name)) left.delete(name);
    }
  }
  return left;
}

/** The names on a shortest way from `start` to itself. */
function pathBack(graph: Graph, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  let frontier = [start];
  while (frontier.length > 0) {
    const next: string[] = [];
    for (const name of frontier) {
      for (const to of graph.get(name)?.keys() ?? []) {
        if (to === start) return pathTo(name, start, cameFrom);
        if (cameFrom.has(to)) continue;
        cameFrom.set(to, name);
        next.push(to);
      }
    }
    frontier = next;
  }
  return undefined;
}

function pathTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const path: string[] = [];
  for (let name: string | undefined = end; name !== undefined && name !== start; ) {
    path.unshift(name);
    name = cameFrom.get(name);
  }
  return [start, ...path];
}

function idOf(key: string, element: string): string {
  return `${key}:${element}`;
}
