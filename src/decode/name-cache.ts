import { finish } from '../core/hash.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';

const SLOTS = 2048;
/** Longer names are not cached. */
const SLOT_BYTES = 128;

/** ASCII upper case to lower case; length bytes of labels are below it. */
export const LOWER: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte,
);

/**
 * Ids of domain names by their bytes on the wire, whatever their case: DNS asks for the same names again and again, and
 * most need no string. Bounded: each slot keeps the last name that fell into it.
 */
export class NameCache implements Stateful {
  readonly #bytes = new Uint8Array(SLOTS * SLOT_BYTES);
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #ids = new Int32Array(SLOTS);

  /** Id kept for the `length` bytes at `at`, whose `nameHash` is given; 0 when there is none. */
  find(data: Uint8Array<ArrayBufferLike>, at: number, length: number, hash: number): number {
    const slot = hash & (SLOTS - 1);
    if (this.#lengths[slot] !== length) return 0;
    const bytes = this.#bytes;
    const start = slot * SLOT_BYTES;
    for (let i = 0; i < length; i++) if (bytes[start + i] !== LOWER[data[at + i]]) return 0;
    return this.#ids[slot];
  }

  keep(data: Uint8Array<ArrayBufferLike>, at: number, length: number, hash: number, id: number): void {
    if (length > SLOT_BYTES) return;
    const slot = hash & (SLOTS - 1);
    for (let i = 0; i < length; i++) this.#bytes[slot * SLOT_BYTES + i] = LOWER[data[at + i]];
    this.#lengths[slot] = length;
    this.#ids[slot] = id;
  }

  save(out: StateWriter): void {
    for (const part of [this.#bytes, this.#lengths, this.#ids]) out.array(part);
  }

  restore(state: StateReader): void {
    for (const part of [this.#bytes, this.#lengths, this.#ids]) state.into(part);
  }
}

/** Hash of a name on the wire, the same for either case (FNV-1a, finished). */
export function nameHash(data: Uint8Array<ArrayBufferLike>, at: number, length: number): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < length; i++) h = Math.imul(h ^ LOWER[data[at + i]], 0x01000193);
  return finish(h);
}
