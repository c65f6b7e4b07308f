/** Tables go when nobody can read them any more: after the last version that has them, and not before. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Version } from "../../../src/version/version.ts";
import { VersionList } from "../../../src/version/version-list.ts";
import { tableOf } from "../../support/table-metas.ts";

type Step =
  | { readonly type: "pin" }
  | { readonly type: "unpin"; readonly pick: number }
  | { readonly type: "add" }
  | { readonly type: "remove" | "move"; readonly pick: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant("pin" as const) }),
  fc.record({ type: fc.constant("add" as const) }),
  fc.record({ type: fc.constantFrom("unpin", "remove", "move"), pick: fc.nat() }),
);

const numbersOf = (version: Version) => version.files(0).concat(version.files(1));

test("a table is obsolete once, when no version in use from before its removal is left", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const obsolete: number[] = [];
      const list = new VersionList(Version.EMPTY, (tables) => {
        obsolete.push(...tables.map(({ number }) => number));
      });
      const pinned: Version[] = [];
      const all: Version[] = [Version.EMPTY];
      let number = 0;
      for (const one of steps) {
        const { current } = list;
        if (one.type === "pin") pinned.push(list.pin());
        else if (one.type === "unpin") {
          const [version] = pinned.splice(one.pick % Math.max(1, pinned.length), 1);
          if (version !== undefined) list.unpin(version);
        } else {
          // Tables do not overlap, so that they fit both levels.
          const key = Buffer.from([++number]);
          let edit = {
            added: [{ level: 0, table: tableOf(number, key, key) }],
            removed: [] as never[],
          };
          if (one.type !== "add") {
            const tables = numbersOf(current);
            const table = tables[one.pick % Math.max(1, tables.length)];
            if (table === undefined) continue;
            const level = current.files(0).includes(table) ? 0 : 1;
            const added = one.type === "move" ? [{ level: 1 - level, table }] : [];
            edit = { added, removed: [{ level, number: table.number }] as never[] };
          }
          const next = current.apply(edit);
          list.install(next, edit);
          all.push(next);
        }
        // From the oldest version that is pinned on, all count as in use: that is how they are kept.
        const firstUsed = Math.min(
          all.length - 1,
          ...pinned.map((version) => all.indexOf(version)),
        );
        const used = new Set(all.slice(firstUsed).flatMap((version) => numbersOf(version)));
        const ever = new Set(all.flatMap((version) => numbersOf(version)));
        const gone = [...ever].filter((table) => !used.has(table)).map((table) => table.number);
        expect([...obsolete].sort((a, b) => a - b)).toEqual(gone.sort((a, b) => a - b));
        expect(list.count).toBe(all.length - firstUsed);
        expect(list.current).toBe(all.at(-1));
      }
    }),
    { numRuns: 150 },
  );
});

test("a version is unpinned as often as it was pinned, and no more", () => {
  const list = new VersionList(Version.EMPTY, () => {});
  const version = list.pin();
  list.pin();
  list.unpin(version);
  list.unpin(version);
  expect(() => list.unpin(version)).toThrow("as often as it was pinned");
});
