import { expect, test } from "vitest";
import { ask, startHttp } from "./support.ts";

/** Addresses that name things, and are not asked for anything. */
const NAMES = /^http:\/\/www\.w3\.org\//;

test.each(["/kv-store/docs/", "/kv-store/redoc/"])(
  "all that %s loads comes from the server itself, with a policy that lets nothing else be loaded",
  async (path) => {
    const { url } = await startHttp();
    const page = await ask(`${url}${path}`);
    expect(page.status).toBe(200);
    expect(page.headers["content-type"]).toMatch(/^text\/html/);
    expect(page.text).not.toMatch(/https?:\/\//);
    const policy = page.headers["content-security-policy"] ?? "";
    expect(policy).toMatch(/default-src 'self'/);
    expect(policy).not.toMatch(/https?:|\*/);
    const loaded = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, address = ""]) => address,
    );
    const files = loaded.filter((address) => !address.startsWith("data:"));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const answer = await ask(new URL(file, `${url}${path}`).href);
      expect(answer.status, file).toBe(200);
      if (!file.endsWith(".css")) continue;
      const elsewhere = [...answer.text.matchAll(/url\(["']?(https?:[^)"']+)/g)].map(
        ([, address = ""]) => address,
      );
      expect(elsewhere.filter((address) => !NAMES.test(address))).toEqual([]);
    }
  },
);

test("the documents are the same with the slash at the end and without", async () => {
  const { url } = await startHttp();
  for (const path of ["schema", "docs", "redoc"]) {
    expect((await ask(`${url}/kv-store/${path}`)).status).toBe(200);
    expect((await ask(`${url}/kv-store/${path}/`)).status).toBe(200);
  }
});

test("ReDoc's script has no picture to fetch from its maker, and Swagger UI no validator to ask", async () => {
  const { url } = await startHttp();
  const { text } = await ask(`${url}/kv-store/redoc/redoc.js`);
  expect(text).not.toContain("cdn.redoc.ly");
  expect(text).not.toContain("fonts.googleapis");
  const settings = await ask(`${url}/kv-store/docs/static/swagger-initializer.js`);
  expect(settings.text).toMatch(/validatorUrl"?:\s*null/);
});
