/** Asks the server that the page came from, with a token where it wants one, which is kept until the tab closes. */

const API = "/kv-store/v1";
const TOKEN_KEPT_AS = "varve-token";
const TIMEOUT_MS = 10_000;

/** What the server answers where it does not do as asked (RFC 9457). */
export interface ProblemDocument {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly reasons?: readonly string[];
}

/** The server answered, but not with what was asked for. */
export class Problem extends Error {
  readonly status: number;
  readonly document: ProblemDocument;

  constructor(status: number, document: ProblemDocument) {
    super(document.detail ?? document.title ?? `the server answered with status ${status}`);
    this.status = status;
    this.document = document;
  }
}

/** No answer came. */
export class Unreachable extends Error {}

export interface Request {
  readonly method?: "GET" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

export class Api {
  readonly #onTokenWanted: (wasRefused: boolean) => void;

  /** `onTokenWanted` is told whether a token was given, and refused. */
  constructor(onTokenWanted: (wasRefused: boolean) => void) {
    this.#onTokenWanted = onTokenWanted;
  }

  setToken(token: string): void {
    sessionStorage.setItem(TOKEN_KEPT_AS, token);
  }

  async json<Answer>(path: string): Promise<Answer> {
    const response = await this.send(path);
    return (await response.json()) as Answer;
  }

  /** `path` is below the API's own. Throws `Problem` or `Unreachable`. */
  async send(
    path: string,
    { method = "GET", headers = {}, body }: Request = {},
  ): Promise<Response> {
    const token = sessionStorage.getItem(TOKEN_KEPT_AS);
    const response = await reach(API + path, {
      method,
      headers: token === null ? headers : { ...headers, authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body }),
      cache: "no-store",
    });
    if (response.ok) return response;
    if (response.status === 401) this.#onTokenWanted(token !== null);
    throw new Problem(response.status, await problemOf(response));
  }

  /** Why the server would not be sent work; empty where it is ready. */
  async unreadiness(): Promise<readonly string[]> {
    const response = await reach("/readyz", { cache: "no-store" });
    if (response.ok) return [];
    const { reasons, detail, title } = await problemOf(response);
    return reasons ?? [detail ?? title ?? "the server says that it is not ready"];
  }
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (cause) {
    throw new Unreachable("the server does not answer", { cause });
  }
}

async function problemOf(response: Response): Promise<ProblemDocument> {
  try {
    return (await response.json()) as ProblemDocument;
  } catch {
    return {};
  }
}
