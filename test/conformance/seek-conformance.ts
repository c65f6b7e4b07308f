/** Scans that are sought in, as every store must have them. */
import { describe, expect, test } from "vitest";
import type { Entry } from "../../src/store.ts";
import { Random, seeds } from "../support/random.ts";
import { freshOf, type OpenStore, text } from "./opened-store.ts";

const shown = (entries: readonly Entry[]) =>
  entries.map(([key, value]) => `${text(key)}=${text(value)}`);
const keyOf = (i: number) => `k:${String(i).padStart(3, "0")}`;

export function seekConformance(name: string, open: OpenStore): void {
  const fresh = freshOf(open);

  describe(`${name}: seeks`, () => {
    test.each(seeds(20))(
      "a scan goes on where it is sent, as of its moment (seed %i)",
      async (seed) => {
        const store = await fresh();
        const random = new Random(seed);
        const numbers = Array.from({ length: 300 }, (_, i) => i).filter(() => random.chance(60));
        await store.batch(
          numbers.map((i) => ({
            type: "put",
            key: keyOf(i),
            value: "v".repeat(random.below(200)),
          })),
        );
        const reverse = random.chance(50);
        const [gte, lt] = [keyOf(random.below(100)), keyOf(150 + random.below(150))];
        const options = { gte, lt, reverse };
        const all = shown(await Array.fromAsync(store.scan(options)));
        await using scan = store.scan({ ...options, seekable: true });
        await store.deleteRange({ prefix: "k:" });
        let place = 0;
        for (let i = 0; i < 60; i++) {
          if (random.chance(40)) {
            const target = keyOf(random.below(300));
            await scan.seek(target);
            place = all.findIndex((entry) => {
              const key = entry.slice(0, 5);
              return reverse ? key <= target : key >= target;
            });
            if (place < 0) place = all.length;
          } else if (random.chance(50)) {
            const { done, value } = await scan.next();
            expect(done ? undefined : shown([value as Entry])[0]).toBe(all[place]);
            if (!done) place++;
          } else {
            const count = 1 + random.below(40);
            expect(shown(await scan.nextMany(count))).toEqual(all.slice(place, place + count));
            place = Math.min(all.length, place + count);
          }
        }
      },
    );

    test("calls that are made together are followed in order", async () => {
      const store = await fresh();
      await store.batch([1, 2, 3].map((i) => ({ type: "put", key: keyOf(i), value: String(i) })));
      await using scan = store.scan({ seekable: true });
      const seeks = [scan.seek(keyOf(3)), scan.seek(keyOf(2))];
      const entries = scan.nextMany(10);
      const again = scan.seek(keyOf(1));
      const first = scan.next();
      await Promise.all([...seeks, again]);
      expect(shown(await entries)).toEqual(["k:002=2", "k:003=3"]);
      expect(shown([(await first).value as Entry])).toEqual(["k:001=1"]);
    });

    test("are for scans that were made for them, and that have not ended", async () => {
      const store = await fresh();
      await store.put("a", "1");
      await using plain = store.scan();
      await expect(plain.seek("a")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      const ended = store.scan({ seekable: true });
      await ended.return();
      await expect(ended.seek("a")).rejects.toMatchObject({ code: "CLOSED" });
      expect(() => store.scan({ seekable: 1 as unknown as boolean })).toThrow("seekable");
      await using scan = store.scan({ seekable: true });
      expect(await Array.fromAsync({ [Symbol.asyncIterator]: () => scan })).toHaveLength(1);
      await scan.seek("");
      expect(shown(await scan.nextMany(5))).toEqual(["a=1"]);
    });
  });
}
