import type { Counter } from '../core/metrics.ts';
import {
  HAS_IP,
  HAS_MAC,
  HAS_OUTER,
  ICMP,
  IDENTIFIER,
  LAYERS,
  META,
  OUTER_DST,
  OUTER_SRC,
  PORTS,
  SRC,
  SRC_MAC,
  VLAN,
} from '../model/packet-rows.ts';
import { causeCode } from './causes.ts';
import type { EarlyFragments } from './early-fragments.ts';
import type { FragmentTable } from './fragments.ts';
import type { Inside } from './inside.ts';
import { VLAN_CODE } from './layer-codes.ts';
import type { LayerTrie } from './layer-trie.ts';

const SNAPLEN = causeCode('snaplen');
const SHORT = causeCode('short');

/** Values of `Walk.fragment`. */
export const WHOLE = 0;
export const FIRST_FRAGMENT = 1;
export const LATER_FRAGMENT = 2;

/** What outlives a packet. */
export interface WalkTools {
  layers: LayerTrie;
  fragments: FragmentTable;
  early: EarlyFragments;
  inside: Inside;
  causes: readonly Counter[];
}

/**
 * Where a decoder stands in one packet, and the row it fills. One object serves all packets. A parser reads one header
 * at `at`, moves `at` behind it, narrows `end`, and answers the step (`steps.ts`) that comes next. It looks at no byte
 * from `cap` on.
 */
export class Walk {
  data: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));
  at = 0;
  /** End of the bytes at hand: captured and inside `end`. */
  cap = 0;
  /** End of the current layer by the lengths on the wire; beyond `cap` where the capture is cut. */
  end = 0;
  /** EtherType, PPP protocol or IP protocol of what comes next. */
  type = 0;
  words: Int32Array<ArrayBufferLike> = new Int32Array(0);
  /** First word of the row. */
  row = 0;
  timeUs = 0;
  /** Node of the header stack. */
  node = 0;
  /** IP headers opened so far. */
  depth = 0;
  /** End of the innermost IP packet by its own length, even where that is beyond the frame. */
  ipEnd = 0;
  fragment = WHOLE;
  fragmentId = 0;
  fragmentProtocol = 0;
  /** A later fragment whose first one was not seen yet. */
  missesFirst = false;
  /** The radio header says that the MAC header is padded to words. */
  padded = false;
  /** Offsets of the MAC addresses that belong to the next IP header, -1 without. */
  sourceMacAt = -1;
  destinationMacAt = -1;
  readonly tunnels: boolean;
  readonly maxTunnels: number;
  readonly layers: LayerTrie;
  readonly fragments: FragmentTable;
  readonly early: EarlyFragments;
  readonly inside: Inside;
  readonly causes: readonly Counter[];

  constructor(tools: WalkTools, options: { tunnels: boolean; maxTunnels: number }) {
    this.layers = tools.layers;
    this.fragments = tools.fragments;
    this.early = tools.early;
    this.inside = tools.inside;
    this.causes = tools.causes;
    this.tunnels = options.tunnels;
    this.maxTunnels = options.maxTunnels;
  }

  /** Begins a packet of `captured` bytes at `at`, `wire` bytes long on the wire, with a row of zeros. */
  begin(at: number, captured: number, wire: number): void {
    this.at = at;
    this.end = at + Math.max(wire, captured);
    this.cap = at + captured;
    this.type = 0;
    this.node = 0;
    this.depth = 0;
    this.ipEnd = 0;
    this.fragment = WHOLE;
    this.missesFirst = false;
    this.padded = false;
    this.sourceMacAt = -1;
    this.destinationMacAt = -1;
  }

  /** True, and counted by its cause, when fewer than `bytes` are at hand. */
  lacks(bytes: number): boolean {
    if (this.at + bytes <= this.cap) return false;
    this.causes[this.at + bytes <= this.end ? SNAPLEN : SHORT].value++;
    return true;
  }

  /** Ends the current layer `bytes` after `at`; false when it ended before that already. */
  narrow(bytes: number): boolean {
    if (this.at + bytes > this.end) return false;
    this.end = this.at + bytes;
    if (this.cap > this.end) this.cap = this.end;
    return true;
  }

  count(cause: number): void {
    this.causes[cause].value++;
  }

  push(code: number): void {
    this.node = this.layers.child(this.node, code);
  }

  /** Notes a VLAN tag: the outermost one is the row's. */
  tag(id: number): void {
    if (this.words[this.row + VLAN] === -1) this.words[this.row + VLAN] = id;
    this.push(VLAN_CODE + id);
  }

  /**
   * Begins an IP header: what the row said of the header around it gives way, and its addresses become the outer ones.
   * `META` is left with what is true of the whole packet.
   */
  openIp(layer: number): void {
    const { words, row } = this;
    const meta = words[row + META];
    let kept = meta & (HAS_MAC | HAS_OUTER);
    if ((meta & (HAS_IP | HAS_OUTER)) === HAS_IP) {
      for (let i = 0; i < 4; i++) {
        words[row + OUTER_SRC + i] = words[row + SRC + i];
        words[row + OUTER_DST + i] = words[row + SRC + 4 + i];
      }
      kept |= HAS_OUTER;
    }
    words[row + META] = kept;
    words[row + PORTS] = 0;
    words[row + ICMP] = 0;
    words[row + IDENTIFIER] = 0;
    this.push(layer);
    this.depth++;
    this.fragment = WHOLE;
    this.takeMac();
  }

  /** Writes the MAC addresses noted last. */
  takeMac(): void {
    if (this.sourceMacAt < 0 || this.destinationMacAt < 0) return;
    const { words, row, view } = this;
    words[row + SRC_MAC] = view.getUint16(this.sourceMacAt);
    words[row + SRC_MAC + 1] = view.getInt32(this.sourceMacAt + 2);
    words[row + SRC_MAC + 2] = view.getUint16(this.destinationMacAt);
    words[row + SRC_MAC + 3] = view.getInt32(this.destinationMacAt + 2);
    words[row + META] |= HAS_MAC;
    this.sourceMacAt = -1;
  }

  /** Completes the row. */
  finish(): void {
    if (this.depth === 0) this.takeMac();
    this.words[this.row + LAYERS] = this.layers.id(this.node);
  }
}
