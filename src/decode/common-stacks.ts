import { layerCode, VLAN_CODE } from './layer-codes.ts';
import type { LayerTrie } from './layer-trie.ts';

const VERSIONS = [layerCode('ipv4'), layerCode('ipv6')];
const TRANSPORTS = [layerCode('tcp'), layerCode('udp')];
const ETH = layerCode('eth');

/** Ids of the stacks of the straight path, by `transport + 2 * version`: TCP 0, UDP 1; IPv4 0, IPv6 1. */
export class CommonStacks {
  readonly plain: Int32Array;
  readonly #tagged = new Int32Array(4096 * 4);
  readonly #layers: LayerTrie;

  constructor(layers: LayerTrie) {
    this.#layers = layers;
    const eth = layers.child(0, ETH);
    this.plain = Int32Array.from([0, 1, 2, 3], (stack) => this.#id(eth, stack));
  }

  /** The same behind one VLAN tag; made when first seen. */
  tagged(vlan: number, stack: number): number {
    const known = this.#tagged[vlan * 4 + stack];
    if (known !== 0) return known;
    const tag = this.#layers.child(this.#layers.child(0, ETH), VLAN_CODE + vlan);
    const id = this.#id(tag, stack);
    this.#tagged[vlan * 4 + stack] = id;
    return id;
  }

  #id(below: number, stack: number): number {
    const version = this.#layers.child(below, VERSIONS[stack >>> 1]);
    return this.#layers.id(this.#layers.child(version, TRANSPORTS[stack & 1]));
  }
}
