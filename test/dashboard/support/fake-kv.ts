/** The part of REST that the key browser uses, over a map in memory. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

interface Kept {
  readonly value: Buffer;
  readonly sequence: number;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number | undefined;
}

const KV_PATH = "/kv-store/v1/kv";
export const KEY_PREFIX = `${KV_PATH}/`;

export class FakeKv {
  /** By the key's bytes as latin1, whose order is theirs. */
  readonly entries = new Map<string, Kept>();
  readonly writes: string[] = [];
  /** Answered instead of any write, if given. */
  refusal: { readonly status: number; readonly code: string; readonly detail: string } | undefined;
  #sequence = 0;

  put(key: string | Uint8Array, value: string | Uint8Array, ttlMs?: number): Kept {
    const name = Buffer.from(key as string).toString("latin1");
    const before = this.entries.get(name);
    const now = Date.now();
    const kept = {
      value: Buffer.from(value as string),
      sequence: ++this.#sequence,
      version: (before?.version ?? 0) + 1,
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
      expiresAt: ttlMs === undefined ? undefined : now + ttlMs,
    };
    this.entries.set(name, kept);
    return kept;
  }

  addRoutes(app: FastifyInstance): void {
    app.addContentTypeParser(
      "application/octet-stream",
      { parseAs: "buffer" },
      (_request, body, done) => done(null, body),
    );
    app.get(`${KV_PATH}/`, (request, reply) => this.#list(request, reply));
    app.route({
      method: ["GET", "PUT", "DELETE"],
      url: `${KV_PATH}/*`,
      handler: (request, reply) => this.#one(request, reply),
    });
  }

  #list(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const query = rawQuery(request);
    if (query.keyspace !== undefined && query.keyspace !== "orders") {
      return problem(reply, 404, "NO_SUCH_KEYSPACE", `there is no keyspace ${query.keyspace}`);
    }
    const prefix = query.prefix ?? "";
    const names = [...this.entries.keys()].filter((name) => name.startsWith(prefix)).sort();
    if (query.reverse === "true") names.reverse();
    const from = Number(query.cursor ?? 0);
    const limit = Number(query.limit ?? 100);
    const items = names.slice(from, from + limit).map((name) => {
      const kept = this.entries.get(name)!;
      const bytes = Buffer.from(name, "latin1");
      const isText = Buffer.from(bytes.toString("utf8")).equals(bytes);
      return {
        ...(isText
          ? { key: bytes.toString("utf8") }
          : { key: bytes.toString("base64"), key_encoding: "base64" }),
        version: kept.version,
        created_at: new Date(kept.createdAt).toISOString(),
        updated_at: new Date(kept.updatedAt).toISOString(),
      };
    });
    return reply.send({ items, cursor: from + limit < names.length ? String(from + limit) : null });
  }

  #one(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const path = request.originalUrl.split("?")[0]!.slice(KV_PATH.length + 1);
    const name = decodeRaw(path.replace(/\/$/, ""));
    const present = this.entries.get(name);
    if (request.method === "GET") {
      if (present === undefined) return problem(reply, 404, "NOT_FOUND", "there is no such entry");
      return sendEntry(reply, present);
    }
    this.writes.push(`${request.method} ${Buffer.from(name, "latin1")}`);
    if (this.refusal !== undefined) {
      return problem(reply, this.refusal.status, this.refusal.code, this.refusal.detail);
    }
    const match = request.headers["if-match"];
    const mustBeAbsent = request.headers["if-none-match"] === "*";
    const etag = present === undefined ? undefined : `"${present.sequence}"`;
    if ((match !== undefined && match !== etag) || (mustBeAbsent && etag !== undefined)) {
      return problem(reply, 412, "CONDITION_FAILED", "the entry is another one now");
    }
    if (request.method === "DELETE") {
      this.entries.delete(name);
      return reply.code(204).send();
    }
    const ttl = rawQuery(request).ttl;
    const ttlMs = ttl === undefined ? undefined : Number.parseInt(ttl, 10) * 1000;
    return sendEntry(reply, this.put(Buffer.from(name, "latin1"), request.body as Buffer, ttlMs));
  }
}

function sendEntry(reply: FastifyReply, kept: Kept): FastifyReply {
  if (kept.expiresAt !== undefined) {
    reply.header("varve-expires-at", new Date(kept.expiresAt).toISOString());
  }
  return reply
    .header("etag", `"${kept.sequence}"`)
    .header("varve-version", String(kept.version))
    .header("varve-created-at", new Date(kept.createdAt).toISOString())
    .header("varve-updated-at", new Date(kept.updatedAt).toISOString())
    .type("application/octet-stream")
    .send(kept.value);
}

export function problem(
  reply: FastifyReply,
  status: number,
  code: string,
  detail: string,
  more: object = {},
): FastifyReply {
  return reply
    .code(status)
    .type("application/problem+json")
    .send(JSON.stringify({ title: code, status, detail, code, ...more }));
}

function rawQuery(request: FastifyRequest): Record<string, string> {
  const text = request.originalUrl.split("?")[1] ?? "";
  return Object.fromEntries(
    text
      .split("&")
      .map((pair) => pair.split("="))
      .map(([name, value]) => [name, decodeRaw(value ?? "")]),
  );
}

/** Percent-decoded bytes, as latin1. */
function decodeRaw(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, digits) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
