/** Writes that depend on what is there, while that is on the disk and others write: nothing is lost in between. */
import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { decodeCounter, encodeCounter } from "../../../src/store.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

/** Closed and opened again, so that nothing of it is in memory. */
async function openCold(keys: number): Promise<Database> {
  const fs = new MemoryFileSystem();
  const options = { ...TINY_SETTINGS, fs, background: "inline" as const };
  const db = await Database.open("/db", options);
  for (let i = 0; i < keys; i++) await db.put(`key:${i}`, encodeCounter(1000));
  await db.flush();
  await db.close();
  return Database.open("/db", options);
}

test("a put that comes while an increment waits for the disk is counted", async () => {
  await using db = await openCold(1);
  const incremented = db.increment("key:0");
  const put = db.put("key:0", encodeCounter(5));
  expect((await incremented).value).toBe(6n);
  expect((await incremented).version).toBeGreaterThan((await put).version);
  expect(decodeCounter((await db.get("key:0")) as Uint8Array)).toBe(6n);
});

test("a put that is in a table already when the increment comes back from the disk is counted", async () => {
  await using db = await openCold(1);
  const incremented = db.increment("key:0");
  await db.put("key:0", encodeCounter(5), { durability: "none" });
  await db.flush();
  expect(Number((await incremented).value)).oneOf([6, 1001]);
  const { sequence } = (await db.getEntry("key:0")) ?? {};
  const value = decodeCounter((await db.get("key:0")) as Uint8Array);
  // Before the put, which then stands, or after it.
  expect(value).toBe(sequence === (await incremented).version ? 6n : 5n);
});

test("of many conditional puts on one key one wins, wherever the key is", async () => {
  await using db = await openCold(40);
  for (let i = 0; i < 40; i++) {
    const { sequence = 0 } = (await db.getEntry(`key:${i}`)) ?? {};
    const puts = Array.from({ length: 10 }, (_, n) =>
      db.put(`key:${i}`, `winner ${n}`, { if: { sequence } }),
    );
    const settled = await Promise.allSettled(puts);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  }
});

test("increments of cold and warm keys, all at once, add up", async () => {
  await using db = await openCold(50);
  const calls = Array.from({ length: 2000 }, (_, i) => db.increment(`key:${i % 50}`, i));
  const values = (await Promise.all(calls)).map(({ value }) => value);
  expect(new Set(values.filter((_, i) => i % 50 === 7)).size).toBe(40);
  for (let key = 0; key < 50; key++) {
    let sum = 1000n;
    for (let i = key; i < 2000; i += 50) sum += BigInt(i);
    expect(decodeCounter((await db.get(`key:${key}`)) as Uint8Array)).toBe(sum);
  }
});

test("a failed condition is told when what it saw is durable", async () => {
  await using db = await openCold(1);
  const order: string[] = [];
  const put = db.put("new", "1").then(() => order.push("put"));
  const refused = db.put("new", "2", { if: { absent: true } }).catch(() => order.push("refused"));
  await Promise.all([put, refused]);
  expect(order).toEqual(["put", "refused"]);
});

test("operands in a long row are folded into values, so that reads find few", async () => {
  await using db = await openCold(1);
  for (let i = 0; i < 500; i++) await db.merge("sum", "add", i, { durability: "none" });
  expect(decodeCounter((await db.get("sum")) as Uint8Array)).toBe(BigInt((499 * 500) / 2));
  expect(await db.getEntry("sum")).toMatchObject({ revision: 500 });
});
