import { finish } from '../core/hash.ts';
import type { StringTable } from '../core/string-table.ts';
import type { NameText } from './name-text.ts';

const SLOTS = 2048;
/** Longer names are not cached. */
const SLOT_BYTES = 128;

/**
 * Names from bytes to ids without making a string of one that was seen lately: DNS asks for the same names again and
 * again. Bounded: each slot keeps the last name that fell into it.
 */
export class NameCache {
  readonly #table: StringTable;
  readonly #bytes = new Uint8Array(SLOTS * SLOT_BYTES);
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #ids = new Int32Array(SLOTS);

  constructor(table: StringTable) {
    this.#table = table;
  }

  /** Id of the name in the table. */
  intern(name: NameText): number {
    if (name.length > SLOT_BYTES) return this.#table.intern(name.toString());
    const slot = hash(name.bytes, name.length) & (SLOTS - 1);
    // The table may have let the name go since.
    if (this.#holds(slot, name) && this.#table.text(this.#ids[slot]) !== '') return this.#ids[slot];
    const id = this.#table.intern(name.toString());
    for (let i = 0; i < name.length; i++) this.#bytes[slot * SLOT_BYTES + i] = name.bytes[i];
    this.#lengths[slot] = name.length;
    this.#ids[slot] = id;
    return id;
  }

  #holds(slot: number, name: NameText): boolean {
    if (this.#lengths[slot] !== name.length) return false;
    const start = slot * SLOT_BYTES;
    for (let i = 0; i < name.length; i++) if (this.#bytes[start + i] !== name.bytes[i]) return false;
    return true;
  }
}

function hash(bytes: Uint8Array<ArrayBufferLike>, length: number): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < length; i++) h = Math.imul(h ^ bytes[i], 0x01000193);
  return finish(h);
}
