/** How the page's files are sent, without a browser. */
import { fastify } from "fastify";
import { expect, onTestFinished, test, vi } from "vitest";
import { addDashboard } from "../../src/http/dashboard-routes.ts";

function start() {
  const app = fastify();
  addDashboard(app);
  onTestFinished(() => app.close());
  return app;
}

test.each([
  ["/", "text/html; charset=utf-8", "<!doctype html>"],
  ["/dashboard/style.css", "text/css; charset=utf-8", "--paper"],
  ["/dashboard/icon.svg", "image/svg+xml", "<svg"],
  ["/dashboard/main.ts", "text/javascript; charset=utf-8", "new LiveFeed"],
  ["/dashboard/vendor/uplot.js", "text/javascript; charset=utf-8", "export"],
  ["/dashboard/vendor/uplot.css", "text/css; charset=utf-8", ".uplot"],
])("%s is sent as %s", async (url, type, part) => {
  const answer = await start().inject(url);
  expect(answer.statusCode).toBe(200);
  expect(answer.headers["content-type"]).toBe(type);
  expect(answer.body).toContain(part);
});

test("the page may load nothing from elsewhere, and nobody else may frame it or guess its types", async () => {
  const { headers } = await start().inject("/");
  const policy = headers["content-security-policy"];
  expect(policy).toContain("default-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
  expect(headers["x-content-type-options"]).toBe("nosniff");
});

test("who has a file is told that it is as it was", async () => {
  const app = start();
  const first = await app.inject("/dashboard/main.ts");
  const etag = String(first.headers.etag);
  for (const tags of [etag, `"other", W/${etag}`, "*"]) {
    const again = await app.inject({
      url: "/dashboard/main.ts",
      headers: { "if-none-match": tags },
    });
    expect(again.statusCode).toBe(304);
    expect(again.body).toBe("");
  }
  const other = await app.inject({
    url: "/dashboard/main.ts",
    headers: { "if-none-match": '"no"' },
  });
  expect(other.statusCode).toBe(200);
});

test("types are stripped, and Node's warning that it can do so stays out of the log", async () => {
  const warned = vi.spyOn(process, "emitWarning");
  onTestFinished(() => warned.mockRestore());
  const { body } = await start().inject("/dashboard/text/format.ts");
  expect(body).not.toContain(": number");
  expect(body).toContain("export function formatBytes");
  expect(warned).not.toHaveBeenCalled();
});

test.each([
  "/dashboard/",
  "/dashboard/README.md",
  "/dashboard/tsconfig.json",
  "/dashboard/vendor/uplot.d.ts",
  "/dashboard/../package.json",
  "/dashboard/%2e%2e/package.json",
  "/dashboard/..%2fsrc%2fmain.ts",
  "/dashboard/__proto__",
])("nothing else of the disk is sent: %s", async (url) => {
  expect((await start().inject(url)).statusCode).toBe(404);
});
