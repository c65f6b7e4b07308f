/** What the `scale` suite runs on a database of each size, in this order. */
export const TASKS = [
  { name: "fill", isForLargest: true, what: "batches of 1,000 in random order, not synced" },
  { name: "random reads", isForLargest: true, what: "getSync, keys that are there" },
  { name: "absent reads", isForLargest: false, what: "getSync, keys that are not there" },
  { name: "scans", isForLargest: false, what: "1,000 entries from a random key on, one operation" },
  {
    name: "overwrites",
    isForLargest: true,
    what: "batches of 1,000 in random order, not synced",
  },
] as const;

export type TaskName = (typeof TASKS)[number]["name"];
