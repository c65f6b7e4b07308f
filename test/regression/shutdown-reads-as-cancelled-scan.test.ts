/** A scan that the server ended because it was shutting down failed as if its client had cancelled it. */
import { connect } from "varve-client";
import { expect, test } from "vitest";
import { eventually, startTestServer } from "../support/test-server.ts";

test("a scan that a shutdown ends says so, and may be tried again", async () => {
  const { port, server, database, stats } = await startTestServer();
  for (let i = 0; i < 10; i++) await database.put(`${i}`, new Uint8Array(100));
  const client = await connect(`varve://127.0.0.1:${port}`, { scanCreditBytes: 200 });
  const scan = client.scan();
  await scan.next();
  await eventually(() => stats().scans === 1);
  const rest = Array.fromAsync(scan);
  void server.close();
  await expect(rest).rejects.toMatchObject({ code: "SHUTTING_DOWN", retryable: true });
  await client.close();
});
