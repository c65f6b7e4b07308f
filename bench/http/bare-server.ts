/**
 * The ceiling in the `http` suite: a server of `node:http` alone, in one process, that stores nothing. It has
 * recorded what Varve answers, status, headers and body, and answers the same bytes: to reads by their path, to
 * writes, once their body is there, with the answer to the first write of that method.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { HttpRequest } from "./requests.ts";

/** Of the connection, not of the answer, or set by `node:http`. */
const OWN_HEADERS = new Set(["connection", "keep-alive", "transfer-encoding", "date"]);
const RECORDS_AT_ONCE = 32;

interface Answer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
}

export class BareServer {
  readonly #reads = new Map<string, Answer>();
  readonly #writes = new Map<string, Answer>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  /** Sends each request to the server at `url`, `http://host:port`, and keeps the answers. */
  async record(url: string, requests: readonly HttpRequest[]): Promise<void> {
    const left = requests.values();
    const recorder = async () => {
      for (const request of left) await this.#record(url, request);
    };
    await Promise.all(Array.from({ length: RECORDS_AT_ONCE }, recorder));
  }

  /** Resolves with the port, on the loopback. */
  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #record(url: string, { method, path, body }: HttpRequest): Promise<void> {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const response = await fetch(url + path, { method, headers, body: body ?? null });
    const text = await response.text();
    const answer: Answer = {
      status: response.status,
      headers: [...response.headers].filter(([name]) => !OWN_HEADERS.has(name)).flat(),
      body: text,
    };
    if (method === "GET") this.#reads.set(path, answer);
    else if (!this.#writes.has(method)) this.#writes.set(method, answer);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { method = "", url = "" } = request;
    if (method === "GET") {
      this.#answer(response, this.#reads.get(url));
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => this.#answer(response, this.#writes.get(method)));
  }

  #answer(response: ServerResponse, answer: Answer | undefined): void {
    if (answer === undefined) {
      response.writeHead(500).end("not recorded");
      return;
    }
    response.writeHead(answer.status, answer.headers as string[]);
    response.end(answer.body);
  }
}
