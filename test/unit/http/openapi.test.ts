import { createConfig, lintFromString } from "@redocly/openapi-core";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { expect, test } from "vitest";
import {
  BatchAnswer,
  Entry,
  HealthAnswer,
  PageAnswer,
  ProblemAnswer,
  ReadyAnswer,
} from "../../../src/http/schemas.ts";
import { ask, post, put, startHttp } from "./support.ts";

interface Media {
  readonly schema: Record<string, unknown>;
  readonly example?: unknown;
  readonly examples?: Record<string, { readonly value: unknown }>;
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: Record<string, unknown>;
    readonly example?: unknown;
    readonly examples?: Record<string, { readonly value: unknown }>;
  }[];
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly responses: Record<string, { readonly content?: Record<string, Media> }>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
}

async function documentOf(url: string): Promise<{ text: string; document: Document }> {
  const { text } = await ask(`${url}/kv-store/schema/`);
  return { text, document: JSON.parse(text) as Document };
}

test("the document is OpenAPI 3.1, and a linter has nothing to say of it", async () => {
  const { url } = await startHttp();
  const { text, document } = await documentOf(url);
  expect(document.openapi).toMatch(/^3\.1\./);
  // The addresses of this interface have slashes at their ends.
  const rules = { "no-path-trailing-slash": "off" } as const;
  const config = await createConfig({ extends: ["recommended"], rules });
  const problems = await lintFromString({ source: text, absoluteRef: "/varve.json", config });
  expect(
    problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
  ).toEqual([]);
});

test("the document has every route of the interface, with a slash at its end", async () => {
  const { url } = await startHttp();
  const { document } = await documentOf(url);
  const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  for (const route of [
    "GET /kv-store/v1/kv/{key}/",
    "PUT /kv-store/v1/kv/{key}/",
    "DELETE /kv-store/v1/kv/{key}/",
    "GET /kv-store/v1/kv/",
    "POST /kv-store/v1/kv/batch/",
    "GET /kv-store/v1/changes/",
    "GET /healthz",
    "GET /readyz",
  ]) {
    expect(routes).toContain(route);
  }
});

const examplesOf = (holder: Media | { schema: Record<string, unknown>; example?: unknown }) => {
  const own =
    "examples" in holder ? Object.values(holder.examples ?? {}).map(({ value }) => value) : [];
  const given = holder.example === undefined ? [] : [holder.example];
  const inSchema = holder.schema.examples ?? [];
  return [...own, ...given, ...(inSchema as unknown[])];
};

test("every example of a body is taken, and every example of a parameter", async () => {
  const { url, database } = await startHttp();
  await database.keyspace("orders");
  await put(`${url}/kv-store/v1/kv/user123/`, { value: "42" });
  const { document } = await documentOf(url);
  let run = 0;
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      if (!path.startsWith("/kv-store/v1/kv/")) continue;
      const { parameters = [], requestBody } = operation;
      const keyed = parameters.find(({ in: place }) => place === "path");
      const address = `${url}${path.replace("{key}", String(keyed === undefined ? "" : examplesOf(keyed)[0]))}`;
      const content = requestBody?.content["application/json"];
      const bodies = content === undefined ? [undefined] : examplesOf(content);
      expect(bodies.length, `${method} ${path}`).toBeGreaterThan(0);
      const queries = parameters
        .filter(({ in: place }) => place === "query")
        .flatMap((parameter) =>
          examplesOf(parameter).map(
            (example) => `?${parameter.name}=${encodeURIComponent(String(example))}`,
          ),
        );
      for (const body of bodies) {
        for (const query of ["", ...queries]) {
          // What a run before has deleted.
          if (query === "?keyspace=orders")
            await put(`${url}/kv-store/v1/kv/user123/${query}`, { value: "1" });
          else await put(`${url}/kv-store/v1/kv/user123/`, { value: "1" });
          const answer = await ask(`${address}${query}`, {
            method: method.toUpperCase(),
            ...(body === undefined
              ? {}
              : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
          });
          expect(answer.status, `${method} ${path}${query}: ${answer.text}`).toBeLessThan(300);
          run++;
        }
      }
    }
  }
  expect(run).toBeGreaterThan(20);
});

test("answers are as the document has them", async () => {
  const { url, kv } = await startHttp();
  const entry = Compile(Entry);
  const check = (schema: TSchema, value: unknown) =>
    expect(Compile(schema).Errors(value)).toEqual([]);
  check(Entry, (await put(`${kv}a?ttl=1h`, { value: "1" })).json);
  check(Entry, (await put(`${kv}%ff`, { value: { a: 1 }, encoding: "json" })).json);
  expect(entry.Check((await ask(`${kv}a`)).json)).toBe(true);
  check(PageAnswer, (await ask(`${kv}?limit=1`)).json);
  check(PageAnswer, (await ask(`${kv}?keys_only=true`)).json);
  check(
    BatchAnswer,
    (
      await post(`${kv}batch`, {
        items: [
          { key: "b", value: "1" },
          { key: "a", delete: true },
        ],
      })
    ).json,
  );
  check(ProblemAnswer, (await ask(`${kv}absent`)).json);
  check(ProblemAnswer, (await put(`${kv}b`, { value: "1" }, { "if-match": '"9"' })).json);
  check(HealthAnswer, (await ask(`${url}/healthz`)).json);
  check(ReadyAnswer, (await ask(`${url}/readyz`)).json);
});
