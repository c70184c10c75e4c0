import { layerCode, VLAN_CODE } from './layer-codes.ts';
import type { LayerTrie } from './layer-trie.ts';

const VERSIONS = [layerCode('ipv4'), layerCode('ipv6')];
const TRANSPORTS = [
  [layerCode('tcp'), layerCode('udp'), layerCode('icmp')],
  [layerCode('tcp'), layerCode('udp'), layerCode('icmp6')],
];
const STACKS = 6;
const ETH = layerCode('eth');

/** Ids of the stacks of the straight path, by `transport + 3 * version`: TCP 0, UDP 1, ICMP 2; IPv4 0, IPv6 1. */
export class CommonStacks {
  readonly plain = new Int32Array(STACKS);
  readonly #tagged = new Int32Array(4096 * STACKS);
  readonly #layers: LayerTrie;

  constructor(layers: LayerTrie) {
    this.#layers = layers;
    this.refresh();
  }

  /** The ids may have changed. */
  refresh(): void {
    const eth = this.#layers.child(0, ETH);
    for (let stack = 0; stack < STACKS; stack++) this.plain[stack] = this.#id(eth, stack);
    this.#tagged.fill(0);
  }

  /** The same behind one VLAN tag; made when first seen. */
  tagged(vlan: number, stack: number): number {
    const known = this.#tagged[vlan * STACKS + stack];
    if (known !== 0) return known;
    const tag = this.#layers.child(this.#layers.child(0, ETH), VLAN_CODE + vlan);
    const id = this.#id(tag, stack);
    this.#tagged[vlan * STACKS + stack] = id;
    return id;
  }

  #id(below: number, stack: number): number {
    const six = stack < 3 ? 0 : 1;
    const version = this.#layers.child(below, VERSIONS[six]);
    return this.#layers.id(this.#layers.child(version, TRANSPORTS[six][stack - 3 * six]));
  }
}
