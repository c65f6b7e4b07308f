/** The codecs of keyspaces that have one of their own, in the place of their level's. */
import type { CodecName } from "../options.ts";
import { keyspaceOf } from "../store.ts";
import { type Codec, codecNumber } from "./codec.ts";

/** By id. */
export type KeyspaceCodecList = readonly (readonly [id: number, codec: CodecName])[];

export class KeyspaceCodecs {
  readonly #codecs: ReadonlyMap<number, Codec>;
  readonly #otherwise: Codec;

  constructor(list: KeyspaceCodecList, otherwise: Codec) {
    this.#codecs = new Map(list.map(([id, name]) => [id, codecNumber(name)]));
    this.#otherwise = otherwise;
  }

  /** Of the block that the stored key at `start` goes into. */
  codecOf(key: Uint8Array, start: number): Codec {
    // Those of the default keyspace are most.
    if (key[start] !== 0) return this.#otherwise;
    return this.#codecs.get(keyspaceOf(key, start) ?? -1) ?? this.#otherwise;
  }
}
