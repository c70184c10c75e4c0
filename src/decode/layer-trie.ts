import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { StringTable } from '../core/string-table.ts';
import { ANY_VLAN, CODES, layerText, VLAN_CODE } from './layer-codes.ts';

const INDEX_BITS = 16;
/** Half the index, so that probing stays short; also half of `Names.layers`, so that no id is ever evicted by us. */
const MAX_NODES = 1 << (INDEX_BITS - 1);

/**
 * Header stacks as nodes of a trie: a decoder walks it by layer codes, and the text of a stack is made once. Bounded:
 * when it is full, VLAN ids are left out, and then what cannot be told apart counts as its parent (`takeOverflows`).
 */
export class LayerTrie implements Stateful {
  #overflows = 0;
  readonly #table: StringTable;
  /** Open addressing: `node * CODES + code + 1`, 0 free; beside it the child. */
  readonly #keys = new Int32Array(1 << INDEX_BITS);
  readonly #children = new Int32Array(1 << INDEX_BITS);
  readonly #parents = new Int32Array(MAX_NODES);
  readonly #codes = new Int32Array(MAX_NODES);
  readonly #ids = new Int32Array(MAX_NODES);
  #nodes = 1;

  constructor(table: StringTable) {
    this.#table = table;
  }

  /** The stack of `node` with one more header inside; node 0 is the empty stack. */
  child(node: number, code: number): number {
    const key = node * CODES + code + 1;
    let slot = Math.imul(key, 0x9e3779b1) >>> (32 - INDEX_BITS);
    while (this.#keys[slot] !== 0) {
      if (this.#keys[slot] === key) return this.#children[slot];
      slot = (slot + 1) & ((1 << INDEX_BITS) - 1);
    }
    return this.#add(node, code, key, slot);
  }

  #add(node: number, code: number, key: number, slot: number): number {
    const limit = code >= VLAN_CODE ? MAX_NODES / 2 : MAX_NODES;
    if (this.#nodes >= limit) {
      this.#overflows++;
      return code >= VLAN_CODE ? this.child(node, ANY_VLAN) : node;
    }
    const made = this.#nodes++;
    this.#keys[slot] = key;
    this.#children[slot] = made;
    this.#parents[made] = node;
    this.#codes[made] = code;
    return made;
  }

  /** Id of the stack's text in the table; 0 for the empty stack. */
  id(node: number): number {
    if (this.#ids[node] === 0 && node !== 0) this.#ids[node] = this.#table.intern(this.#text(node));
    return this.#ids[node];
  }

  #text(node: number): string {
    const texts: string[] = [];
    for (let at = node; at !== 0; at = this.#parents[at]) texts.push(layerText(this.#codes[at]));
    return texts.reverse().join(' ');
  }

  save(out: StateWriter): void {
    for (const part of [this.#parents, this.#codes, this.#ids]) out.array(part, 0, this.#nodes);
  }

  restore(state: StateReader): void {
    this.#nodes = state.into(this.#parents);
    state.into(this.#codes);
    state.into(this.#ids);
    this.#keys.fill(0);
    for (let node = 1; node < this.#nodes; node++) this.#enter(node);
  }

  #enter(node: number): void {
    const key = this.#parents[node] * CODES + this.#codes[node] + 1;
    let slot = Math.imul(key, 0x9e3779b1) >>> (32 - INDEX_BITS);
    while (this.#keys[slot] !== 0) slot = (slot + 1) & ((1 << INDEX_BITS) - 1);
    this.#keys[slot] = key;
    this.#children[slot] = node;
  }

  /** How often a stack could not be told apart since the last call. */
  takeOverflows(): number {
    const taken = this.#overflows;
    this.#overflows = 0;
    return taken;
  }
}
