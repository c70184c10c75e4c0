import { randomInt } from 'node:crypto';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { FlowSink } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import { FLAGS, HAS_IP, IP_BYTES, IS_IPV6, type PacketRows, ROW, TIME_F64, WIRE_BYTES } from '../model/packet-rows.ts';
import { FlowLife } from './flow-life.ts';
import {
  ATTENTION,
  FLOW_SHIFT,
  HIGH,
  KEY_PORTS,
  KIND,
  LOW,
  PLACE,
  SECOND,
  SLICE_END_F64,
  SLICE_FLAGS,
  SLICE_LAYER2_F64,
  SLICE_OCTETS_F64,
  SLICE_PACKETS,
  SLICE_START_F64,
  START_F64,
  STATE,
} from './flow-row.ts';
import { CHUNK, FROM_HIGH, GOES_ON, KeyBatch, SPECIAL } from './key-batch.ts';
import { SECOND_US } from './open-slices.ts';
import { Outlet } from './outlet.ts';

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

/** The end of the year 9999: what comes later is no time. */
const LATEST_US = 253402300800e6;

/**
 * Packets become flows: biflows (RFC 5103) by innermost 5-tuple, VLAN and interface, metered as RFC 5470 has it. Time
 * is event time: the latest packet's. `docs/flows.md` says what a flow, a slice and a record are.
 */
export class Meter implements Stateful {
  /** The latest event time seen, microseconds; -Infinity before the first packet. */
  maxEventUs = Number.NEGATIVE_INFINITY;
  readonly #keys = new KeyBatch(randomInt(2 ** 31));
  readonly #candidates = new Int32Array(CHUNK);
  readonly #activeUs: number;
  readonly #life: FlowLife;
  readonly #slices: Outlet;
  readonly #records: Outlet;
  readonly #packets: Counter;
  readonly #untimed: Counter;
  #nextTickUs = Number.NEGATIVE_INFINITY;
  /** Keeps the touching of rows from being optimised away. */
  touched = 0;

  constructor(options: MeterOptions, ports: MeterPorts) {
    this.#activeUs = Math.max(SECOND_US, options.activeTimeoutUs ?? 300 * SECOND_US);
    this.#slices = new Outlet(ports.onSlices);
    this.#records = new Outlet(ports.onRecords);
    this.#packets = ports.metrics.counter('weir_meter_packets_total', 'Packets that were metered.');
    this.#untimed = ports.metrics.counter(
      'weir_meter_packets_without_time_total',
      'Packets without a usable time: they count at the latest time seen.',
    );
    this.#life = new FlowLife(
      {
        activeTimeoutUs: this.#activeUs,
        idleTimeoutUs: Math.max(SECOND_US, options.idleTimeoutUs ?? 15 * SECOND_US),
        maxFlows: options.maxFlows ?? 1 << 20,
        slices: options.slices ?? true,
        records: options.records ?? true,
      },
      this.#slices,
      this.#records,
      ports.metrics,
    );
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

  /** Meters all packets of `rows`. Address words of rows without IP are overwritten. */
  add(rows: PacketRows): void {
    for (let from = 0; from < rows.length; from += CHUNK) {
      const count = Math.min(CHUNK, rows.length - from);
      this.#keys.fill(rows, from, count);
      this.#life.reserve(count);
      this.#touchIndex(count);
      this.#probe(count);
      this.#touch(count);
      this.#update(rows, from, count);
    }
    this.#packets.value += rows.length;
  }

  /** Reads each packet's first index entry without a branch, so that the cache misses overlap. */
  #touchIndex(count: number): void {
    const { index, mask } = this.#life.table;
    const { hash } = this.#keys;
    let sum = 0;
    for (let i = 0; i < count; i++) sum ^= index[2 * (hash[i] & mask)];
    this.touched = sum;
  }

  /** Finds rows by hash alone. */
  #probe(count: number): void {
    const { index, mask } = this.#life.table;
    const { hash } = this.#keys;
    const candidates = this.#candidates;
    for (let i = 0; i < count; i++) {
      const wanted = hash[i];
      let at = wanted & mask;
      while (index[2 * at + 1] !== 0 && index[2 * at] !== wanted) at = (at + 1) & mask;
      candidates[i] = index[2 * at + 1] - 1;
    }
  }

  /** Reads both cache lines of each candidate, so that their misses overlap. */
  #touch(count: number): void {
    const { hot } = this.#life.table;
    const candidates = this.#candidates;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const o = Math.max(0, candidates[i]) << FLOW_SHIFT;
      sum ^= hot[o + KIND] ^ hot[o + SLICE_PACKETS];
    }
    this.touched ^= sum;
  }

  /**
   * Counts each packet in its flow, in order. A candidate may have left or begun since `#probe`, so its key is
   * compared; the arrays stay the same for the whole chunk because room was made before.
   */
  #update(rows: PacketRows, from: number, count: number): void {
    const { words, doubles } = rows;
    const life = this.#life;
    const keys = this.#keys;
    const { kind, low, high, ports, place, info: infos } = keys;
    const { table } = life;
    const { hot, hotF64 } = table;
    const active = this.#activeUs;
    const candidates = this.#candidates;
    let clock = this.maxEventUs;
    let secondStart = 0;
    let second = 0;
    for (let i = 0; i < count; i++) {
      const r = (from + i) * ROW;
      let t = doubles[(r >> 1) + TIME_F64];
      if (!(t >= 0 && t < LATEST_US)) t = this.#timeOf(clock);
      if (t > clock) {
        clock = t;
        if (t >= this.#nextTickUs) this.advance(t);
      }
      if (!(t >= secondStart && t < secondStart + SECOND_US)) {
        const whole = Math.floor(t / SECOND_US);
        second = whole | 0;
        secondStart = whole * SECOND_US;
      }
      let row = candidates[i];
      let o = row << FLOW_SHIFT;
      const what = kind[i];
      if (
        row < 0 ||
        hot[o + KIND] !== what ||
        hot[o + LOW + 3] !== low[i] ||
        hot[o + HIGH + 3] !== high[i] ||
        hot[o + KEY_PORTS] !== ports[i] ||
        hot[o + PLACE] !== place[i] ||
        ((what & (HAS_IP | IS_IPV6)) !== HAS_IP && !table.hasKey(row, keys, i, words, r))
      ) {
        row = table.find(keys, i, words, r);
        if (row < 0) row = life.admit(keys, i, words, r, t, clock);
        o = row << FLOW_SHIFT;
      }
      const d = o >> 1;
      const info = infos[i];
      if (
        hot[o + SECOND] !== second ||
        ((hot[o + STATE] & ATTENTION) | (info & SPECIAL)) !== 0 ||
        t - hotF64[d + START_F64] > active
      ) {
        life.attend(row, info, words, r, t, second);
      }
      const end = info & FROM_HIGH;
      hot[o + SLICE_PACKETS + end]++;
      hotF64[d + SLICE_OCTETS_F64 + end] += words[r + IP_BYTES] >>> 0;
      hotF64[d + SLICE_LAYER2_F64 + end] += words[r + WIRE_BYTES] >>> 0;
      hot[o + SLICE_FLAGS] |= (words[r + FLAGS] & 0xfff) << (end << 4);
      hot[o + STATE] |= (info & GOES_ON) << end;
      if (t > hotF64[d + SLICE_END_F64]) hotF64[d + SLICE_END_F64] = t;
      else if (t < hotF64[d + SLICE_START_F64]) {
        hotF64[d + SLICE_START_F64] = t;
        if (t < hotF64[d + START_F64]) hotF64[d + START_F64] = t;
      }
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
    out.number(this.#keys.seed);
    this.#life.save(out);
    this.#slices.save(out);
    this.#records.save(out);
  }

  restore(state: StateReader): void {
    this.maxEventUs = state.number();
    this.#nextTickUs = state.number();
    this.#keys.seed = state.number();
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
