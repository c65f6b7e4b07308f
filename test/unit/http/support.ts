/** An HTTP server over a database in memory, and over TCP beside it where that is asked for. */
import { request as nodeRequest } from "node:http";
import { connect as connectSocket, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import type { OpenOptions } from "../../../src/engine/open-options.ts";
import type { HttpStore } from "../../../src/http/http-context.ts";
import { HttpServer, type HttpServerOptions } from "../../../src/http/http-server.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import type { LogLine } from "../../support/test-server.ts";

export interface TestHttp {
  readonly server: HttpServer;
  readonly database: Database;
  readonly port: number;
  readonly url: string;
  /** Of keys: `/kv-store/v1/kv/`. */
  readonly kv: string;
  readonly lines: readonly LogLine[];
}

/** `wrap` may put another store in front of the database. */
export async function startHttp(
  options: Partial<HttpServerOptions> = {},
  database: OpenOptions = {},
  wrap: (database: Database) => HttpStore = (store) => store,
): Promise<TestHttp> {
  const opened = await Database.open("/db", {
    fs: new MemoryFileSystem(),
    background: "inline",
    ...database,
  });
  const lines: LogLine[] = [];
  const log = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  const logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  const server = new HttpServer({ store: wrap(opened), version: "0.0.0", logger, ...options });
  const port = await server.listen(0, "127.0.0.1");
  onTestFinished(async () => {
    await server.close();
    await opened.close();
  });
  const url = `http://127.0.0.1:${port}`;
  return { server, database: opened, port, url, kv: `${url}/kv-store/v1/kv/`, lines };
}

/** The database, but for what `changes` says. */
export function changedStore(database: Database, changes: Partial<HttpStore>): HttpStore {
  return new Proxy<HttpStore>(database, {
    get(target, name) {
      const own = changes[name as keyof HttpStore];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  readonly text: string;
  /** Of a JSON body. */
  readonly json: JsonAnswer;
}

export interface JsonAnswer {
  readonly [name: string]: unknown;
  readonly items: readonly Record<string, unknown>[];
  readonly cursor: string | null;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** As `fetch`, but that the path is sent as it is given, and any header can be set. */
export function ask(
  url: string,
  { method = "GET", headers = {}, body }: Asked = {},
): Promise<Answer> {
  const { hostname, port, origin } = new URL(url);
  const path = url.slice(origin.length);
  return new Promise((resolve, reject) => {
    const request = nodeRequest(
      { hostname, port, path, method, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const whole = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers as Record<string, string>,
            body: whole,
            text: whole.toString(),
            get json() {
              return JSON.parse(whole.toString()) as JsonAnswer;
            },
          });
        });
      },
    );
    request.on("error", reject);
    if (body === undefined) request.end();
    else request.end(body);
  });
}

export function put(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return ask(url, {
    method: "PUT",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

export function post(url: string, body: unknown): Promise<Answer> {
  return ask(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** The key percent-encoded, byte by byte, so that nothing on the way changes it. */
export function keyPath(key: Uint8Array): string {
  return Array.from(key, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}

/** A connection that says what it is told to, and keeps what it hears. */
export class RawConnection {
  readonly socket: Socket;
  heard = "";
  isEnded = false;

  constructor(port: number) {
    this.socket = connectSocket(port, "127.0.0.1");
    this.socket.setEncoding("latin1");
    this.socket.on("data", (chunk: string) => {
      this.heard += chunk;
    });
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      this.isEnded = true;
    });
    onTestFinished(() => {
      this.socket.destroy();
    });
  }

  say(text: string): void {
    this.socket.write(text, "latin1");
  }
}
