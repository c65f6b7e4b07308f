import { expect, test } from "vitest";
import { ask, put, startHttp } from "./support.ts";

const BYTES = "application/octet-stream";

test.each([
  ["an entry", "/kv-store/v1/kv/k", {}],
  ["a value's bytes", "/kv-store/v1/kv/k", { accept: BYTES }],
  ["a page", "/kv-store/v1/kv/", {}],
  ["a stream", "/kv-store/v1/kv/", { accept: "application/x-ndjson" }],
  ["what is not there", "/kv-store/v1/kv/absent", {}],
  ["what is no path", "/nothing", {}],
  ["counters", "/kv-store/v1/admin/stats/", {}],
  ["metrics", "/metrics", {}],
])(
  "%s, whatever is stored, is no script and no page to a browser, and kept by no cache",
  async (_, path, asked) => {
    const { url, kv } = await startHttp();
    const html = "<script>alert(1)</script>";
    await ask(`${kv}k`, { method: "PUT", headers: { "content-type": BYTES }, body: html });
    const { headers } = await ask(`${url}${path}`, { headers: asked });
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["content-type"]).not.toMatch(/html|script|xml/);
  },
);

test("the answer to a write is kept by no cache", async () => {
  const { kv } = await startHttp();
  const { headers } = await put(`${kv}k`, { value: "v" });
  expect([headers["cache-control"], headers["x-content-type-options"]]).toEqual([
    "no-store",
    "nosniff",
  ]);
});

test("documents and their pages are what they say they are", async () => {
  const { url } = await startHttp();
  for (const path of ["", "kv-store/schema/", "kv-store/docs/", "kv-store/redoc/"]) {
    const { status, headers } = await ask(`${url}/${path}`);
    expect([status, headers["x-content-type-options"]], path).toEqual([200, "nosniff"]);
  }
});
