/**
 * Who may do what. With tokens, a request has to bring one; without, anybody who reaches the port may do all, but only by
 * a name that is the server's own: a page on another site could make its name lead here, and have a browser ask for it
 * (DNS rebinding).
 */
import { hash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { VarveError } from "../errors.ts";

const TOKEN_CHARACTERS_MIN = 16;
const NAMES_KEPT_MAX = 100;

export type Role = "read" | "write";

export interface AccessTokens {
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** What `--http-tokens` names: JSON `{"read": ["…"], "write": ["…"]}`. Throws `INVALID_ARGUMENT`. */
export function parseTokens(text: string): AccessTokens {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw new VarveError("INVALID_ARGUMENT", "the file of tokens is not JSON", { cause });
  }
  if (typeof given !== "object" || given === null) {
    throw new VarveError("INVALID_ARGUMENT", 'the file of tokens is {"read": […], "write": […]}');
  }
  for (const name of Object.keys(given)) {
    if (name === "read" || name === "write") continue;
    throw new VarveError(
      "INVALID_ARGUMENT",
      `${name} in the file of tokens is neither read nor write`,
    );
  }
  const { read = [], write = [] } = given as Partial<Record<Role, unknown>>;
  const tokens = { read: checkTokens(read, "read"), write: checkTokens(write, "write") };
  if (tokens.read.length + tokens.write.length > 0) return tokens;
  throw new VarveError("INVALID_ARGUMENT", "the file of tokens has none");
}

function checkTokens(given: unknown, role: Role): readonly string[] {
  const isList = Array.isArray(given) && given.every((token) => typeof token === "string");
  if (!isList) throw new VarveError("INVALID_ARGUMENT", `tokens to ${role} are a list of strings`);
  const tokens: readonly string[] = given;
  // What a header cannot bring, or a space would end, would never be let in.
  if (!tokens.every((token) => /^[\x21-\x7e]*$/.test(token))) {
    const message = `a token to ${role} has a character that is not ASCII, or a space`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  if (tokens.every((token) => token.length >= TOKEN_CHARACTERS_MIN)) return tokens;
  const message = `a token to ${role} is shorter than ${TOKEN_CHARACTERS_MIN} characters`;
  throw new VarveError("INVALID_ARGUMENT", message);
}

export class Access {
  /** Digests, as these are of one length whatever is sent. */
  readonly #tokens: readonly (readonly [digest: Buffer, role: Role])[];
  readonly #host: string;
  /** `Host` headers that were found to be the server's own, few of which are ever sent. */
  readonly #ownNames = new Set<string>();

  constructor(tokens: AccessTokens | undefined, host: string) {
    this.#tokens = [
      ...(tokens?.write ?? []).map((token) => [digestOf(token), "write"] as const),
      ...(tokens?.read ?? []).map((token) => [digestOf(token), "read"] as const),
    ];
    this.#host = host.toLowerCase();
  }

  get needsToken(): boolean {
    return this.#tokens.length > 0;
  }

  /** Throws `FORBIDDEN` where the server is asked by a name that is not its own, and there are no tokens. */
  checkHost(header: string | undefined): void {
    if (this.needsToken || header === undefined || this.#ownNames.has(header)) return;
    if (!this.#isOwn(header)) {
      const message = `the server is not called ${JSON.stringify(header.slice(0, 80))}; ask it by its address, or set tokens`;
      throw new VarveError("FORBIDDEN", message);
    }
    if (this.#ownNames.size < NAMES_KEPT_MAX) this.#ownNames.add(header);
  }

  /** What the request may do. Throws `UNAUTHENTICATED`. */
  roleOf(authorization: string | undefined): Role {
    if (!this.needsToken) return "write";
    if (authorization === undefined) {
      throw new VarveError("UNAUTHENTICATED", "send Authorization: Bearer, and a token");
    }
    const sent = digestOf(/^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? "");
    let role: Role | undefined;
    // All are compared, whichever it is.
    for (const [digest, of] of this.#tokens) {
      if (timingSafeEqual(digest, sent)) role ??= of;
    }
    if (role === undefined) throw new VarveError("UNAUTHENTICATED", "the token is not known");
    return role;
  }

  /** Throws `UNAUTHENTICATED`, and `FORBIDDEN` for a token that is not for writes. */
  check(authorization: string | undefined, needed: Role): void {
    if (this.roleOf(authorization) === "write" || needed === "read") return;
    throw new VarveError("FORBIDDEN", "the token is one to read with");
  }

  #isOwn(header: string): boolean {
    const [, name = ""] = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/.exec(header.toLowerCase()) ?? [];
    const address = name.startsWith("[") ? name.slice(1, -1) : name;
    return (
      name === "localhost" ||
      name.endsWith(".localhost") ||
      name === this.#host ||
      isIP(address) > 0
    );
  }
}

function digestOf(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
