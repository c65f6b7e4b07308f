/** Memory cgroups of both versions, in a tree of plain files that does what the kernel does. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type CgroupTree,
  MemoryCgroups,
  openMemoryCgroups,
} from "../../../bench/support/memory-cgroup.ts";

const FILES = {
  1: ["cgroup.procs", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"],
  2: ["cgroup.procs", "cgroup.controllers", "cgroup.subtree_control", "memory.max"],
} as const;

const LIMIT_BYTES = 96 * 2 ** 20;
let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "varve-cgroup-"));
});

afterEach(() => rm(root, { recursive: true }));

class FakeTree implements CgroupTree {
  readonly root = root;
  readonly own: string;
  readonly made: string[] = [];
  /** How many more times a group is busy when it is removed. */
  busyTimes = 0;
  readonly #version: 1 | 2;

  constructor(version: 1 | 2, own: string) {
    this.#version = version;
    this.own = own;
  }

  makeGroup(path: string): void {
    mkdirSync(path);
    this.made.push(path);
    for (const file of FILES[this.#version]) writeFileSync(join(path, file), "");
    if (this.#version === 1) return;
    const within = join(dirname(path), "cgroup.subtree_control");
    writeFileSync(join(path, "cgroup.controllers"), existsSync(within) ? read(within) : "");
    writeFileSync(join(path, "memory.max"), "max\n");
    writeFileSync(join(path, "memory.swap.max"), "max\n");
  }

  removeGroup(path: string): void {
    if (this.busyTimes-- > 0) throw Object.assign(new Error("busy"), { code: "EBUSY" });
    rmSync(path, { recursive: true });
  }

  write(file: string, text: string): void {
    if (basename(file) !== "cgroup.subtree_control") {
      writeFileSync(file, text);
      return;
    }
    const path = dirname(file);
    if (path !== root && read(join(path, "cgroup.procs")) !== "") {
      throw Object.assign(new Error("has processes"), { code: "EBUSY" });
    }
    const rest = read(file).replace(/\bmemory\b/, "");
    writeFileSync(file, `${rest}${text === "+memory" ? "memory" : ""}`.trim());
  }
}

const read = (file: string) => readFileSync(file, "utf8");

/** A tree of version 1 with a group for each path; this process is in the one that `own` names. */
function tree1(paths: readonly string[], own: string): FakeTree {
  const tree = new FakeTree(1, `9:name=systemd:/\n4:cpuset,memory:${own}\n1:cpu:/other\n`);
  for (const path of ["memory", ...paths]) tree.makeGroup(join(root, path));
  tree.made.length = 0;
  return tree;
}

/** A tree of version 2 with such groups, each with what its own groups can limit. */
function tree2(groups: Readonly<Record<string, string>>, own: string): FakeTree {
  const tree = new FakeTree(2, `0::${own}\n`);
  writeFileSync(join(root, "cgroup.controllers"), "cpu memory\n");
  writeFileSync(join(root, "cgroup.procs"), "1\n");
  for (const [path, within] of Object.entries(groups)) {
    if (path !== "/") tree.makeGroup(join(root, path));
    writeFileSync(join(root, path, "cgroup.subtree_control"), `${within}\n`);
  }
  writeFileSync(join(root, own, "cgroup.procs"), "77\n");
  tree.made.length = 0;
  return tree;
}

function open(tree: CgroupTree): MemoryCgroups {
  const cgroups = openMemoryCgroups(tree);
  if (!(cgroups instanceof MemoryCgroups)) throw new Error(cgroups.reason);
  return cgroups;
}

/** Makes a group, and removes it; returns where it was. */
function parentOfGroup(tree: CgroupTree): string {
  using cgroups = open(tree);
  const { path } = cgroups.create("side", LIMIT_BYTES);
  expect(existsSync(path)).toBe(true);
  return dirname(path);
}

function reasonOf(tree: CgroupTree): string {
  const cgroups = openMemoryCgroups(tree);
  return "reason" in cgroups ? cgroups.reason : "none";
}

test("version 1: a group below this process's own has the limit, swap included, and the process", () => {
  const tree = tree1(["memory/own"], "/own");
  const cgroups = open(tree);
  const group = cgroups.create("varve", LIMIT_BYTES);
  group.add(1234);
  expect(cgroups.version).toBe(1);
  expect(group.path).toBe(join(root, "memory/own", `varve-bench-${process.pid}-varve`));
  expect(read(join(group.path, "memory.limit_in_bytes"))).toBe(String(LIMIT_BYTES));
  expect(read(join(group.path, "memory.memsw.limit_in_bytes"))).toBe(String(LIMIT_BYTES));
  expect(read(join(group.path, "cgroup.procs"))).toBe("1234");
  cgroups.remove();
  expect(existsSync(group.path)).toBe(false);
});

test("version 1: in a container, where the group has another name, the top is taken", () => {
  expect(parentOfGroup(tree1([], "/docker/1f2e"))).toBe(join(root, "memory"));
});

test("version 2: the limit is set, and nothing may be swapped", () => {
  const tree = tree2({ "/": "cpu memory" }, "/");
  const cgroups = open(tree);
  const group = cgroups.create("varve", LIMIT_BYTES);
  group.add(1234);
  expect(cgroups.version).toBe(2);
  expect(read(join(group.path, "memory.max"))).toBe(String(LIMIT_BYTES));
  expect(read(join(group.path, "memory.swap.max"))).toBe("0");
  expect(read(join(group.path, "cgroup.procs"))).toBe("1234");
  cgroups.remove();
  expect(tree.made.some((path) => existsSync(path))).toBe(false);
});

test("version 2: with processes in its own group, groups are made beside it", () => {
  const groups = { "/": "memory", "/user": "cpu memory", "/user/shell": "" };
  expect(parentOfGroup(tree2(groups, "/user/shell"))).toBe(join(root, "user"));
});

test("version 2: groups are told to limit memory where they can be, and that is undone", () => {
  const tree = tree2({ "/": "cpu" }, "/");
  const cgroups = open(tree);
  const within = join(root, "cgroup.subtree_control");
  expect(read(within).split(/\s+/)).toContain("memory");
  cgroups.create("a", LIMIT_BYTES);
  cgroups.create("b", LIMIT_BYTES);
  cgroups.remove();
  expect(read(within).trim()).toBe("cpu");
});

test("version 2: a group with a limit is not left", () => {
  const tree = tree2({ "/": "memory", "/limited": "" }, "/limited");
  writeFileSync(join(root, "limited", "memory.max"), "1000000\n");
  expect(reasonOf(tree)).toBe(
    `no group can be made in ${join(root, "limited")}, which has a limit`,
  );
});

test("without cgroups, or without those for memory, the reason is said", () => {
  expect(reasonOf(new FakeTree(1, ""))).toBe(`there are no memory cgroups in ${root}`);
  const tree = tree2({ "/": "cpu", "/own": "" }, "/own");
  expect(reasonOf(tree)).toBe(`${join(root, "own")} cannot limit memory`);
});

test("where nothing can be changed, the reason is said", () => {
  const tree = tree1(["memory/own"], "/own");
  // Who may write what is hard to fake for a user who may write everything; what is not there nobody may.
  rmSync(join(root, "memory/own/cgroup.procs"));
  expect(reasonOf(tree)).toBe(`${join(root, "memory/own")} is not writable`);
  rmSync(join(root, "memory"), { recursive: true });
  const above = tree2({ "/": "memory", "/own": "" }, "/own");
  rmSync(join(root, "cgroup.procs"));
  expect(reasonOf(above)).toBe(`no group in ${root} above this process can be changed`);
});

test("a group whose process is still ending is removed when it has ended", () => {
  const tree = tree1([], "/");
  const cgroups = open(tree);
  const { path } = cgroups.create("varve", LIMIT_BYTES);
  tree.busyTimes = 3;
  cgroups.remove();
  expect(existsSync(path)).toBe(false);
});

test("what is left when this process exits is removed then", () => {
  const before = new Set(process.listeners("exit"));
  const cgroups = open(tree1([], "/"));
  const groups = [cgroups.create("a", LIMIT_BYTES), cgroups.create("b", LIMIT_BYTES)];
  const added = process.listeners("exit").filter((listener) => !before.has(listener));
  for (const listener of added) (listener as (code: number) => void)(0);
  expect(groups.some(({ path }) => existsSync(path))).toBe(false);
  expect(process.listeners("exit").length).toBe(before.size);
});

test("no process is taken for the one that writes", () => {
  using cgroups = open(tree1([], "/"));
  const group = cgroups.create("varve", LIMIT_BYTES);
  expect(() => group.add(0)).toThrow("has not started");
});
