/** The `sorted-btree` package's class, which is CommonJS with its default export one level down. */
import sortedBtree from "sorted-btree";

export const BTree = sortedBtree.default;
export type BTree<Key, Value> = sortedBtree.default<Key, Value>;
