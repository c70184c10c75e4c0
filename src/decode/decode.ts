import type { Metrics } from '../core/metrics.ts';
import type { Names } from '../model/names.ts';
import type { PacketBatch } from '../model/packet-batch.ts';
import { INTERFACE, type PacketRows, ROW, TIME_F64, VLAN, WIRE_BYTES } from '../model/packet-rows.ts';
import { causeCode, causeCounters } from './causes.ts';
import { LOOK_INSIDE, NOT_COMMON, parseCommon } from './common.ts';
import { CommonStacks } from './common-stacks.ts';
import { FragmentTable } from './fragments.ts';
import { LayerTrie } from './layer-trie.ts';
import { LINK_STEPS } from './link-types.ts';
import { walkHeaders } from './steps.ts';
import { Walk } from './walk.ts';

export interface DecoderOptions {
  /** Takes the header stacks and the names that packets carry. */
  names: Names;
  /** Open tunnels and key on the innermost IP header (default), or stay at the outermost. */
  tunnels?: boolean;
  /** IP headers inside the outermost one. Default 8. */
  maxTunnels?: number;
  /** Fragmented datagrams whose ports are remembered, a power of two. Default 8192. */
  maxFragments?: number;
}

const LINK_ETHERNET = 1;
const LINK_TYPE = causeCode('link_type');

/** Packets to rows. Holds what must be remembered from packet to packet: fragments, names of addresses, stacks. */
export class Decoder {
  readonly #walk: Walk;
  readonly #stacks: CommonStacks;

  constructor(options: DecoderOptions, { metrics }: { metrics: Metrics }) {
    const layers = new LayerTrie(options.names.layers);
    const fragments = new FragmentTable(options.maxFragments ?? 8192);
    this.#stacks = new CommonStacks(layers);
    this.#walk = new Walk(
      { layers, fragments, causes: causeCounters(metrics) },
      { tunnels: options.tunnels ?? true, maxTunnels: options.maxTunnels ?? 8 },
    );
  }

  /**
   * Decodes packets `from` up to (not including) `to` into `rows`, from its first row on, and sets `rows.length`. Answers
   * how many packets were taken: all, or as many as `rows` holds. Every packet gives one row; what cannot be decoded is
   * a row without `HAS_IP`, and the cause is counted. Never throws.
   */
  decode(batch: PacketBatch, from: number, to: number, rows: PacketRows): number {
    const count = Math.max(0, Math.min(to - from, rows.capacity));
    const { data, view, offset, capturedLength, wireLength, timeUs, linkType, ingressInterface } = batch;
    const { words, doubles } = rows;
    const stacks = this.#stacks;
    for (let i = 0; i < count; i++) {
      const packet = from + i;
      const row = i * ROW;
      const at = offset[packet];
      const captured = capturedLength[packet];
      const wire = wireLength[packet];
      const answer =
        linkType[packet] === LINK_ETHERNET
          ? parseCommon(data, view, at, captured, wire, words, row, stacks)
          : NOT_COMMON;
      if (answer === NOT_COMMON) this.#slow(batch, packet, words, row);
      else if (answer === LOOK_INSIDE) this.#slow(batch, packet, words, row);
      words[row + WIRE_BYTES] = wire;
      words[row + INTERFACE] = ingressInterface[packet];
      doubles[(row >>> 1) + TIME_F64] = timeUs[packet];
    }
    rows.length = count;
    return count;
  }

  #slow(batch: PacketBatch, packet: number, words: Int32Array, row: number): void {
    const walk = this.#walk;
    words.fill(0, row, row + ROW);
    words[row + VLAN] = -1;
    walk.data = batch.data;
    walk.view = batch.view;
    walk.words = words;
    walk.row = row;
    walk.timeUs = batch.timeUs[packet];
    walk.begin(batch.offset[packet], batch.capturedLength[packet], batch.wireLength[packet]);
    const first = LINK_STEPS.get(batch.linkType[packet]);
    if (first === undefined) walk.count(LINK_TYPE);
    else walkHeaders(walk, first);
    walk.finish();
  }
}
