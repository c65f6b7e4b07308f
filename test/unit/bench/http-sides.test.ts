/** All sides of the HTTP suite answer the same to the same requests, so that none does less than another. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Data,
  type HttpRequest,
  loadRequests,
  pathOf,
  requestsOf,
} from "../../../bench/http/requests.ts";
import {
  type HttpServerProcess,
  startBare,
  startFastifyPostgres,
  startVarve,
} from "../../../bench/http/servers.ts";
import { KINDS } from "../../../bench/http/tasks.ts";
import { VARVE } from "../../../bench/support/compare.ts";
import { findPostgres } from "../../../bench/support/postgres-process.ts";
import { temporaryDirectory } from "../../../bench/support/temporary-directory.ts";

const data: Data = { entries: 500, valueBytes: 100, different: 40 };
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly hasEtag: boolean;
  readonly body: unknown;
}

async function ask(
  { url }: HttpServerProcess,
  { method, path, body }: Omit<HttpRequest, "method"> & { readonly method: string },
): Promise<Answer> {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const response = await fetch(url + path, { method, headers, body: body ?? null });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    hasEtag: response.headers.has("etag"),
    body: text === "" ? undefined : JSON.parse(text),
  };
}

async function load(server: HttpServerProcess): Promise<void> {
  for (const request of loadRequests(data, 100)) await ask(server, request);
}

/** What is the same whoever answers, and when: all but times, and what is inside of a cursor. */
function plain(value: unknown, name = ""): unknown {
  if (typeof value === "string") {
    if (name === "cursor") return "<cursor>";
    return TIME.test(value) ? "<time>" : value;
  }
  if (Array.isArray(value)) return value.map((item) => plain(item));
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([field, inner]) => [field, plain(inner, field)]);
  return Object.fromEntries(fields);
}

function comparable(answer: Answer): Answer {
  return { ...answer, body: plain(answer.body) };
}

const first = (kind: (typeof KINDS)[number]) => requestsOf(kind, data)[0] as HttpRequest;

const program = findPostgres();
const directory = await temporaryDirectory("varve-http-test-");
const servers = new Map<string, HttpServerProcess>();
const server = (name: string) => servers.get(name) as HttpServerProcess;

beforeAll(async () => {
  const varve = await startVarve(directory.path);
  servers.set(VARVE, varve);
  await load(varve);
});

afterAll(async () => {
  for (const started of servers.values()) await started.stop();
  await directory[Symbol.asyncDispose]();
});

test("what the bare server answers to reads is what Varve answers", async () => {
  const bare = await startBare(server(VARVE).url, data);
  servers.set("bare", bare);
  for (const kind of ["GET", "range"] as const) {
    const own = await ask(server(VARVE), first(kind));
    expect(own.status).toBe(200);
    expect(await ask(bare, first(kind))).toEqual(own);
  }
});

test.each(["PUT", "batch"] as const)(
  "what the bare server answers to a %s is as long as what Varve answers",
  async (kind) => {
    for (const request of requestsOf(kind, data)) {
      const [own, bares] = [await ask(server(VARVE), request), await ask(server("bare"), request)];
      expect(bares.status).toBe(own.status);
      const lengths = [own, bares].map(({ body }) => JSON.stringify(body).length);
      // Versions may have a digit more.
      expect(Math.abs((lengths[0] ?? 0) - (lengths[1] ?? 0))).toBeLessThan(100);
    }
  },
);

describe.skipIf(program === undefined)("over PostgreSQL, where it is installed,", () => {
  beforeAll(async () => {
    const postgres = await startFastifyPostgres(program as NonNullable<typeof program>);
    servers.set("postgres", postgres);
    // Into an empty database on both sides, so that versions are the same.
    const varve = await startVarve(`${directory.path}/again`);
    servers.set("again", varve);
    await load(postgres);
    await load(varve);
  });

  const both = async (request: Parameters<typeof ask>[1]) => {
    const own = comparable(await ask(server("again"), request));
    const theirs = comparable(await ask(server("postgres"), request));
    return { own, theirs };
  };

  test.each(KINDS)("the answer to a %s is the same, but for times", async (kind) => {
    for (const request of requestsOf(kind, data)) {
      const { own, theirs } = await both(request);
      expect(own.status).toBe(200);
      expect(theirs).toEqual(own);
    }
  });

  test("pages of a range follow one another alike, forwards and in reverse", async () => {
    for (const order of ["", "&reverse=true"]) {
      let cursors = { own: "", theirs: "" };
      for (let page = 0; page < 3; page++) {
        const of = async (name: string, cursor: string) =>
          (
            await ask(server(name), {
              method: "GET",
              path: `/kv-store/v1/kv/?start=4&limit=7${order}${cursor && `&cursor=${cursor}`}`,
            })
          ).body as { items: unknown[]; cursor: string };
        const own = await of("again", cursors.own);
        const theirs = await of("postgres", cursors.theirs);
        expect(own.items).toHaveLength(7);
        expect(plain(theirs)).toEqual(plain(own));
        cursors = { own: own.cursor, theirs: theirs.cursor };
      }
    }
  });

  test("a batch puts and deletes, and a deleted key is not found and begins anew", async () => {
    const items = [
      { key: "new", value: "a" },
      { key: "other", value: "b" },
    ];
    const put = { method: "POST", path: "/kv-store/v1/kv/batch/", body: JSON.stringify({ items }) };
    const mixed = [
      { key: "new", delete: true },
      { key: "other", value: "c" },
    ];
    const requests = [
      put,
      { ...put, body: JSON.stringify({ items: mixed }) },
      { method: "GET", path: pathOf("other") },
      put,
      { method: "DELETE", path: pathOf("other") },
    ];
    for (const request of requests) {
      const { own, theirs } = await both(request);
      expect(theirs).toEqual(own);
    }
    const { own, theirs } = await both({ method: "GET", path: pathOf("other") });
    expect([own.status, theirs.status]).toEqual([404, 404]);
    expect(
      [own.type, theirs.type].every((type) => type?.startsWith("application/problem+json")),
    ).toBe(true);
  });
});
