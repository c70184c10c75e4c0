import { randomInt } from 'node:crypto';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { FlowSink } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import { FROM_HIGH, GOES_ON, hashRows, keyRows, SPECIAL, TUNNELED, WIDE } from '../model/packet-key.ts';
import {
  DST,
  FLAGS,
  IP_BYTES,
  KEY_CANDIDATE,
  KEY_INFO,
  KEY_KIND,
  KEY_PORTS,
  type PacketRows,
  ROW,
  SRC,
  TIME_F64,
  WIRE_BYTES,
} from '../model/packet-rows.ts';
import { spillOctets } from './flow-begin.ts';
import { FlowLife } from './flow-life.ts';
import {
  ATTENTION,
  DUE_SECOND,
  HIGH,
  HOT_SHIFT,
  KIND,
  LATEST_TIME,
  LOW,
  PACKET_TIME,
  PORTS,
  SECOND,
  SLICE_END_F64,
  SLICE_FLAGS,
  SLICE_LAYER2,
  SLICE_OCTETS,
  SLICE_PACKETS,
  STATE,
  UNUSUAL,
} from './flow-row.ts';
import { SECOND_US } from './open-slices.ts';
import { Outlet } from './outlet.ts';
import { RowFinder } from './row-finder.ts';

export { HomeLearner } from './home.ts';

export interface MeterOptions {
  /** A record that grew older than this is cut; its flow goes on. At least a second; default 300 s. */
  activeTimeoutUs?: number;
  /** A flow that is silent for longer than this ends. At least a second; default 15 s. */
  idleTimeoutUs?: number;
  /** Flows in memory (about 300 bytes each); default 2^20. */
  maxFlows?: number;
  /** Give out a slice a second and flow; default true. */
  slices?: boolean;
  /** Give out a record when a flow ends; default true. */
  records?: boolean;
}

export interface MeterPorts {
  metrics: Metrics;
  onSlices: FlowSink;
  onRecords: FlowSink;
  /** The dictionaries of the rows' ids, which pass through the meter unchanged. */
  names?: Names;
}

/** Packets that are looked up together: enough that their cache misses overlap, few enough to stay in the first cache. */
const CHUNK = 128;
/** The end of the year 9999: what comes later is no time. */
const LATEST_US = 253402300800e6;
/** Longer timeouts are cut to this (34 years), so that seconds of a flow can be told apart by 32 bits. */
const LONGEST_US = 2 ** 30 * SECOND_US;
/** Octets of an open slice stay below 2^30: neither of these bits is set before a packet is added. */
const TOO_MANY = 0xc0000000 | 0;

/**
 * Packets become flows: biflows (RFC 5103) by innermost 5-tuple, VLAN and interface, metered as RFC 5470 has it. Time
 * is event time: the latest packet's. `docs/flows.md` says what a flow, a slice and a record are.
 */
export class Meter implements Stateful {
  /** The latest event time seen, microseconds; -Infinity before the first packet. */
  maxEventUs = Number.NEGATIVE_INFINITY;
  /** Of the keys' hashes: random, so that nobody outside can make keys collide; saved hashes hold only with it. */
  #seed = randomInt(2 ** 31);
  readonly #sliced: boolean;
  readonly #idleUs: number;
  readonly #life: FlowLife;
  readonly #finder: RowFinder;
  readonly #slices: Outlet;
  readonly #records: Outlet;
  readonly #packets: Counter;
  readonly #untimed: Counter;
  #nextTickUs = Number.NEGATIVE_INFINITY;

  constructor(options: MeterOptions, ports: MeterPorts) {
    const slices = options.slices ?? true;
    const idleTimeoutUs = timeoutOf(options.idleTimeoutUs ?? 15 * SECOND_US);
    this.#sliced = slices;
    this.#idleUs = idleTimeoutUs;
    this.#slices = new Outlet(ports.onSlices);
    this.#records = new Outlet(ports.onRecords);
    this.#packets = ports.metrics.counter('weir_meter_packets_total', 'Packets that were metered.');
    this.#untimed = ports.metrics.counter(
      'weir_meter_packets_without_time_total',
      'Packets without a usable time: they count at the latest time seen.',
    );
    this.#life = new FlowLife(
      {
        activeTimeoutUs: timeoutOf(options.activeTimeoutUs ?? 300 * SECOND_US),
        idleTimeoutUs,
        maxFlows: options.maxFlows ?? 1 << 20,
        slices,
        records: options.records ?? true,
      },
      this.#slices,
      this.#records,
      ports.metrics,
    );
    this.#finder = new RowFinder(this.#life.table);
  }

  /** Flows in the table. */
  get liveFlows(): number {
    return this.#life.table.live;
  }

  /** Slices and records given out so far. */
  get sliceCount(): number {
    return this.#slices.total;
  }

  get recordCount(): number {
    return this.#records.total;
  }

  /** Meters all packets of `rows`. Address words of rows without IP and words of keys are overwritten. */
  add(rows: PacketRows): void {
    const { words } = rows;
    if (rows.keySeed !== this.#seed) this.#key(rows);
    for (let from = 0; from < rows.length; from += CHUNK) {
      const count = Math.min(CHUNK, rows.length - from);
      const r = from * ROW;
      const end = r + count * ROW;
      this.#life.reserve(count);
      this.#finder.find(words, r, end);
      this.#update(rows, r, end);
    }
    this.#packets.value += rows.length;
  }

  /** Rows come without keys, or with those of another meter; whoever fills them next time may write ours. */
  #key(rows: PacketRows): void {
    const fill = Number.isNaN(rows.keySeed) ? keyRows : hashRows;
    fill(rows.words, 0, rows.length * ROW, this.#seed);
    rows.wantedSeed = this.#seed;
  }

  /**
   * Counts each packet in its flow, in order. A candidate may have left or begun since `#probe`, so its key is
   * compared; the arrays stay the same for the whole chunk because room was made before.
   */
  #update(rows: PacketRows, from: number, to: number): void {
    const { words, doubles } = rows;
    const life = this.#life;
    const { table } = life;
    const { hot, hotF64, timesUs } = table;
    const sliced = this.#sliced;
    const idle = this.#idleUs;
    let clock = this.maxEventUs;
    let secondStart = 0;
    let secondEnd = 0;
    let second = 0;
    for (let r = from; r < to; r += ROW) {
      let t = doubles[(r >> 1) + TIME_F64];
      if (!(t >= secondStart && t < secondEnd)) {
        if (!(t >= 0 && t < LATEST_US)) t = this.#timeOf(clock);
        if (t > clock && t >= this.#nextTickUs) this.advance(t);
        const whole = Math.floor(t / SECOND_US);
        second = whole | 0;
        secondStart = whole * SECOND_US;
        secondEnd = secondStart + SECOND_US;
      }
      if (t > clock) clock = t;
      const info = words[r + KEY_INFO];
      const end = info & FROM_HIGH;
      let row = words[r + KEY_CANDIDATE];
      let o = row << HOT_SHIFT;
      if (
        row < 0 ||
        hot[o + LOW] !== words[r + SRC + 3 + (end << 2)] ||
        hot[o + HIGH] !== words[r + DST + 3 - (end << 2)] ||
        hot[o + PORTS] !== words[r + KEY_PORTS] ||
        hot[o + KIND] !== words[r + KEY_KIND] ||
        ((info & WIDE) !== 0 && !table.hasWide(row, words, r))
      ) {
        row = table.find(words, r);
        timesUs[PACKET_TIME] = t;
        timesUs[LATEST_TIME] = clock;
        if (row < 0) row = life.admit(rows, r, second);
        o = row << HOT_SHIFT;
      }
      const d = (o >> 1) + SLICE_END_F64;
      const state = hot[o + STATE];
      if (sliced) {
        if (hot[o + SECOND] !== second || ((state & ATTENTION) | (info & SPECIAL)) !== 0) {
          timesUs[PACKET_TIME] = t;
          life.attend(row, rows, r, second);
        }
      } else {
        const silent = t - hotF64[d];
        const unusual = (state & UNUSUAL) | (info & (SPECIAL | TUNNELED)) | ~((second - hot[o + DUE_SECOND]) >> 31);
        if (unusual === 0 && silent >= 0 && silent <= idle) hot[o + SECOND] = second;
        else if (hot[o + SECOND] !== second || ((state & ATTENTION) | (info & SPECIAL)) !== 0) {
          timesUs[PACKET_TIME] = t;
          life.attend(row, rows, r, second);
        }
      }
      hot[o + SLICE_PACKETS + end]++;
      const ipBytes = words[r + IP_BYTES];
      const wireBytes = words[r + WIRE_BYTES];
      const octets = (hot[o + SLICE_OCTETS + end] + ipBytes) | 0;
      const layer2 = (hot[o + SLICE_LAYER2 + end] + wireBytes) | 0;
      if (((octets | layer2 | ipBytes | wireBytes) & TOO_MANY) === 0) {
        hot[o + SLICE_OCTETS + end] = octets;
        hot[o + SLICE_LAYER2 + end] = layer2;
      } else spillOctets(table, row, end, ipBytes >>> 0, wireBytes >>> 0);
      hot[o + SLICE_FLAGS] |= (words[r + FLAGS] & 0xfff) << (end << 4);
      hot[o + STATE] |= (info & GOES_ON) << end;
      if (t > hotF64[d]) hotF64[d] = t;
      else if (t < hotF64[d]) life.countLate(row, t);
    }
    this.maxEventUs = clock;
  }

  #timeOf(clock: number): number {
    this.#untimed.value++;
    return clock === Number.NEGATIVE_INFINITY ? 0 : clock;
  }

  /**
   * Moves event time on to `timeUs` without a packet (idle live input): whole seconds that passed turn slices and let
   * idle flows go. Never moves it back.
   */
  advance(timeUs: number): void {
    if (timeUs > this.maxEventUs) this.maxEventUs = timeUs;
    if (this.maxEventUs < this.#nextTickUs) return;
    this.#nextTickUs = (Math.floor(this.maxEventUs / SECOND_US) + 1) * SECOND_US;
    this.#life.tick(this.maxEventUs);
  }

  /**
   * All open flows and what is written but not handed on; counters of the process are not among it. Ids in it hold only
   * with the same `Names`. The options may differ after a restore.
   */
  save(out: StateWriter): void {
    out.number(this.maxEventUs);
    out.number(this.#nextTickUs);
    out.number(this.#seed);
    this.#life.save(out);
    this.#slices.save(out);
    this.#records.save(out);
  }

  restore(state: StateReader): void {
    this.maxEventUs = state.number();
    this.#nextTickUs = state.number();
    this.#seed = state.number();
    this.#life.restore(state);
    this.#slices.restore(state);
    this.#records.restore(state);
  }

  /** Hands on what is written; flows and their open slices stay. */
  flush(): void {
    this.#life.deliver();
  }

  /**
   * The end of input: every flow leaves (closed: end of flow; silent past the timeout: idle; else forced end), the
   * sinks get all, and the meter is as new, so that another input may begin at any time.
   */
  end(): void {
    this.#life.leaveAll(this.maxEventUs);
    this.maxEventUs = Number.NEGATIVE_INFINITY;
    this.#nextTickUs = Number.NEGATIVE_INFINITY;
  }
}

const timeoutOf = (us: number): number => Math.min(Math.max(SECOND_US, us), LONGEST_US);
