import fc from "fast-check";
import { connect } from "varve-client";
import { expect, onTestFinished, test } from "vitest";
import { Server } from "../../../src/server/server.ts";
import { ask, keyPath, post, put, startHttp } from "./support.ts";

/** Both doors before one database. */
async function startBoth() {
  const http = await startHttp();
  const nothing = () => undefined;
  const server = new Server({
    store: http.database.stored,
    storeLimits: http.database.limits,
    version: "0.0.0",
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  });
  const port = await server.listen(0, "127.0.0.1");
  const client = await connect(`varve://127.0.0.1:${port}`);
  onTestFinished(async () => {
    await client.close();
    await server.close();
  });
  return { ...http, client };
}

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
/** Bytes of all kinds, and those that mean something in an address. */
const key = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
  fc
    .string({ unit: "binary", minLength: 1, maxLength: 20 })
    .map((text) => new TextEncoder().encode(text)),
  fc
    .array(fc.constantFrom(0x00, 0x2f, 0x25, 0x3f, 0x23, 0x2b, 0x20, 0x2e, 0x26, 0x80, 0xff), {
      minLength: 1,
      maxLength: 8,
    })
    .map((bytes) => Uint8Array.from(bytes)),
);
const value = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.string({ unit: "binary", maxLength: 50 }).map((text) => new TextEncoder().encode(text)),
);

const bytesOf = (text: unknown, encoding: unknown) =>
  new Uint8Array(Buffer.from(String(text), encoding === "base64" ? "base64" : "utf8"));

test(`what one door writes the other reads, whatever the bytes are (seed ${seed})`, async () => {
  const { kv, client } = await startBoth();
  await fc.assert(
    fc.asyncProperty(key, value, async (name, bytes) => {
      const path = `${kv}${keyPath(name)}/`;
      await client.put(name, bytes);
      const read = await ask(path);
      expect(read.status).toBe(200);
      expect(bytesOf(read.json.key, read.json.key_encoding)).toEqual(name);
      expect(bytesOf(read.json.value, read.json.encoding)).toEqual(bytes);
      const raw = await ask(path, { headers: { accept: "application/octet-stream" } });
      expect(new Uint8Array(raw.body)).toEqual(bytes);
      expect(raw.headers.etag).toBe(`"${(await client.getEntry(name))?.sequence}"`);

      // What was read is what can be sent back: as JSON, in a batch, and as bytes.
      const { value: text, encoding, key: keyText, key_encoding } = read.json;
      await client.delete(name);
      const written = await put(path, { value: text, encoding });
      expect(written.json.version).toBe(1);
      expect(await client.get(name)).toEqual(bytes);
      await client.delete(name);
      await post(`${kv}batch/`, { items: [{ key: keyText, key_encoding, value: text, encoding }] });
      expect(await client.get(name)).toEqual(bytes);
      const octets = { "content-type": "application/octet-stream" };
      await ask(path, { method: "PUT", headers: octets, body: new Uint8Array([...bytes, 1]) });
      expect(await client.get(name)).toEqual(new Uint8Array([...bytes, 1]));

      const start = keyPath(name);
      const listed = await ask(`${kv}?start=${start}&end=${start}`);
      expect(listed.json.items).toHaveLength(1);
      expect(listed.json.items[0]).toEqual((await ask(path)).json);
      await ask(path, { method: "DELETE" });
      expect(await client.get(name)).toBeUndefined();
    }),
    { numRuns: 150, seed },
  );
});

test(`a range over HTTP is the client's scan, in both directions (seed ${seed})`, async () => {
  const { kv, client } = await startBoth();
  await fc.assert(
    fc.asyncProperty(
      fc.array(key, { maxLength: 20 }),
      key,
      key,
      fc.boolean(),
      async (names, a, b, reverse) => {
        await client.deleteRange({ gte: "" });
        for (const name of names) await client.put(name, "v");
        const entries = await Array.fromAsync(client.scan({ gte: a, lte: b, reverse }));
        const query = `start=${keyPath(a)}&end=${keyPath(b)}&reverse=${reverse}`;
        const wanted = entries.map(([name]) => name);
        const { json } = await ask(`${kv}?${query}`);
        expect(json.items.map((item) => bytesOf(item.key, item.key_encoding))).toEqual(wanted);
        const lines = await ask(`${kv}?${query}`, { headers: { accept: "application/x-ndjson" } });
        const streamed = lines.text.split("\n").filter((line) => line !== "");
        expect(streamed.map((line) => JSON.parse(line))).toEqual(json.items);
      },
    ),
    { numRuns: 60, seed },
  );
});
