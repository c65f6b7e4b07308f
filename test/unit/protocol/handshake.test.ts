import {
  chooseVersion,
  decodeHello,
  decodeWelcome,
  encodeHello,
  encodeWelcome,
  FrameWriter,
  type Hello,
} from "varve-protocol";
import { expect, test } from "vitest";
import { CUTS, decodeAll } from "./feed.ts";

const HELLO: Hello = {
  versionMin: 1,
  versionMax: 1,
  features: 0,
  frameBytesMax: 4096,
  clientName: "tester",
};

const WELCOME = {
  version: 1,
  features: 0,
  limits: {
    frameBytesMax: 1,
    keyBytesMax: 2,
    valueBytesMax: 3,
    batchBytesMax: 4,
    batchOperationsMax: 5,
    requestsInFlightMax: 6,
  },
  serverName: "s",
  serverVersion: "1",
};

/** The frame with bytes after its last field, as a later version would send it. */
function extended(frame: Uint8Array): Uint8Array {
  const longer = new Uint8Array([...frame, 1, 2, 3]);
  longer[0] = longer.length - 4;
  return longer;
}

test.each(CUTS)(
  "fields that later versions add to HELLO and WELCOME are skipped (%s)",
  (_, cut) => {
    const writer = new FrameWriter();
    encodeHello(writer, HELLO);
    expect(decodeAll(cut(extended(writer.take())), decodeHello)).toEqual([HELLO]);
    encodeWelcome(writer, WELCOME);
    expect(decodeAll(cut(extended(writer.take())), decodeWelcome)).toEqual([WELCOME]);
  },
);

test("a long name is cut, so that a handshake always fits its frame", () => {
  const writer = new FrameWriter();
  expect(encodeHello(writer, { ...HELLO, clientName: "é".repeat(5000) })).toBeLessThan(4096);
  const [hello] = decodeAll([writer.take()], decodeHello);
  expect(hello?.clientName.startsWith("é".repeat(127))).toBe(true);
});

test.each([
  [1, 1, 1],
  [0, 9, 1],
  [1, 9, 1],
])("of a client's versions %i to %i the server chooses %i", (versionMin, versionMax, version) => {
  expect(chooseVersion({ ...HELLO, versionMin, versionMax })).toBe(version);
});

test.each([
  [2, 9],
  [0, 0],
])("versions %i to %i are refused with UNSUPPORTED_PROTOCOL", (versionMin, versionMax) => {
  expect(() => chooseVersion({ ...HELLO, versionMin, versionMax })).toThrow(
    expect.objectContaining({ code: "UNSUPPORTED_PROTOCOL" }),
  );
});
