import { firstRows } from '../core/first-rows.ts';
import { finish, mix } from '../core/hash.ts';
import { formatUs } from '../core/time.ts';
import { formatAddress } from '../model/address.ts';
import type { Evaluation, EvidenceItem } from '../model/alert.ts';
import { formatFlags } from '../model/field.ts';
import { BIFLOW, HAS_ICMP, HAS_IP, HAS_PORTS, IS_ARP } from '../model/flow-batch.ts';
import type { Evidence } from '../model/plan.ts';
import { CHUNK, type Chunk } from './chunk.ts';
import { KeyFormat } from './key-format.ts';
import { KeyedTable } from './keyed-table.ts';
import type { RecentRows } from './recent-rows.ts';
import type { Scratch } from './rule-code.ts';
import type { CompiledRule } from './rule-plan.ts';

/** Different values or flows that one item gathers at most. */
const MOST_GATHERED = 1 << 16;

/** Nobody outside knows which keys collide; answers do not depend on it. */
const SEED = (Math.random() * 2 ** 32) | 0;

/** What a gathered flow adds up: doubles of its row. */
const PACKETS = 0;
const BYTES = 1;
const REVERSE_PACKETS = 2;
const REVERSE_BYTES = 3;
const FLAGS = 4;
const REVERSE_FLAGS = 5;
const START = 6;
const END = 7;
const FRESH = [0, 0, 0, 0, 0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** What a flow is known by: both addresses, ports, protocol with the kind of its names, ICMP type and code. */
const FLOW_WORDS = 12;
const KINDS = HAS_IP | IS_ARP | HAS_PORTS | HAS_ICMP;

/** Looks through recent rows for what made up an alert's window: the rule's match, the key, the time. */
export class EvidenceFinder {
  readonly #rows: RecentRows;
  readonly #chunk: Chunk;
  readonly #scratch: Scratch;

  constructor(rows: RecentRows, chunk: Chunk, scratch: Scratch) {
    this.#rows = rows;
    this.#chunk = chunk;
    this.#scratch = scratch;
  }

  find(compiled: CompiledRule, evaluation: Evaluation): EvidenceItem[] {
    const { evidence } = compiled.rule;
    if (evidence.length === 0) return [];
    const words = compiled.format.words(evaluation.key);
    if (words === null) return evidence.map(nothing);
    const items = evidence.map((item, e) => (item.fn === 'topk' ? new TopValues(compiled, e) : new TopFlows(item.k)));
    for (const batch of this.#rows.within(evaluation.startUs, evaluation.endUs)) {
      for (let from = 0; from < batch.length; from += CHUNK) {
        this.#chunk.load(batch, from, Math.min(batch.length, from + CHUNK));
        this.#visit(compiled, evaluation, words, items);
      }
    }
    return items.map((item, e) => item.answer(evidence[e]));
  }

  #visit(compiled: CompiledRule, { startUs, endUs }: Evaluation, key: Int32Array, items: Gatherer[]): void {
    const { selected, words } = this.#scratch;
    const chunk = this.#chunk;
    const n = compiled.code.selectAny(chunk.rows, 0, chunk.length);
    compiled.code.keys(0, n);
    for (let j = 0; j < n; j++) {
      const i = selected[j] >> 1;
      if (chunk.startUs[i] >= endUs || Math.max(chunk.startUs[i], chunk.endUs[i] - 1) < startUs) continue;
      if (!sameWords(words, j * key.length, key)) continue;
      for (const item of items) item.row(selected[j], chunk, this.#scratch);
    }
  }
}

interface Gatherer {
  row(row: number, chunk: Chunk, scratch: Scratch): void;
  answer(evidence: Evidence): EvidenceItem;
}

/** The heaviest values of a field, or of several together. */
class TopValues implements Gatherer {
  readonly #format: KeyFormat;
  readonly #amount: (row: number) => number;
  readonly #table: KeyedTable;
  #total = 0;

  constructor({ rule, format, code }: CompiledRule, e: number) {
    const item = rule.evidence[e];
    this.#format = new KeyFormat(item.fn === 'topk' ? item.of : [], format.texts);
    this.#amount = code.evidence[e];
    this.#table = new KeyedTable(this.#format.length, [0]);
  }

  row(row: number, _: Chunk, { pairWords }: Scratch): void {
    const amount = this.#amount(row);
    if (!(amount > 0)) return;
    this.#total += amount;
    const table = this.#table;
    const at = placeOf(table, pairWords);
    if (at >= 0) table.doubles[at * table.stride + table.first] += amount;
  }

  answer(evidence: Evidence): EvidenceItem {
    const of = evidence.fn === 'topk' ? evidence.of.map(({ field }) => field).join(' ') : '';
    const by = evidence.fn === 'topk' ? evidence.summand : '';
    const { doubles, words, stride, first } = this.#table;
    const amount = (row: number): number => doubles[row * stride + first];
    const value = (row: number): string => this.#format.tuple(words, 2 * row * stride + 1);
    const heavier = (a: number, b: number): number => amount(b) - amount(a) || (value(a) < value(b) ? -1 : 1);
    const items = firstRows(this.#table.count, evidence.k, heavier).map((row) => {
      const share = Math.round((1e4 * amount(row)) / this.#total) / 1e4;
      return { value: value(row), amount: amount(row), share };
    });
    this.#table.release();
    return { topk: of, by, items };
  }
}

/** The heaviest flows, each with all its rows of the window. */
class TopFlows implements Gatherer {
  readonly #k: number;
  readonly #table = new KeyedTable(FLOW_WORDS - 1, FRESH);
  readonly #key = new Int32Array(FLOW_WORDS);

  constructor(k: number) {
    this.#k = k;
  }

  row(row: number, chunk: Chunk): void {
    identify(this.#key, row, chunk);
    const at = placeOf(this.#table, this.#key);
    if (at >= 0) addRow(this.#table.doubles, at * this.#table.stride + this.#table.first, row, chunk);
  }

  answer(): EvidenceItem {
    const { doubles, words, stride, first } = this.#table;
    const value = (row: number, k: number): number => doubles[row * stride + first + k];
    const id = (row: number): string => Object.values(nameOf(words, 2 * row * stride)).join();
    const heavier = (a: number, b: number): number =>
      value(b, PACKETS) - value(a, PACKETS) ||
      value(b, BYTES) - value(a, BYTES) ||
      value(a, START) - value(b, START) ||
      (id(a) < id(b) ? -1 : 1);
    const flows = firstRows(this.#table.count, this.#k, heavier).map((row) => {
      const from = row * stride + first;
      return print(nameOf(words, 2 * row * stride), doubles.subarray(from, from + FRESH.length));
    });
    this.#table.release();
    return { flows };
  }
}

/** The row of the key behind its hash in `words`; -1 when there is no room for another one. */
function placeOf(table: KeyedTable, words: Int32Array): number {
  let hash = SEED;
  for (let k = 1; k <= table.keyWords; k++) hash = mix(hash, words[k]);
  words[0] = finish(hash);
  const known = table.find(words, 0);
  if (known >= 0) return known;
  return table.count < MOST_GATHERED ? table.take(words, 0) : -1;
}

function nothing(evidence: Evidence): EvidenceItem {
  if (evidence.fn === 'flows') return { flows: [] };
  return { topk: evidence.of.map(({ field }) => field).join(' '), by: evidence.summand, items: [] };
}

function sameWords(words: Int32Array, at: number, key: Int32Array): boolean {
  for (let k = 0; k < key.length; k++) if (words[at + k] !== key[k]) return false;
  return true;
}

/** Writes what a row's flow is known by; the hash is left out. */
function identify(key: Int32Array, row: number, chunk: Chunk): void {
  const meta = chunk.meta[row >> 1] & KINDS;
  key.fill(0);
  if ((meta & (HAS_IP | IS_ARP)) !== 0) {
    for (let k = 0; k < 4; k++) {
      key[1 + k] = chunk.address[4 * row + k];
      key[5 + k] = chunk.address[4 * (row ^ 1) + k];
    }
  }
  if ((meta & HAS_PORTS) !== 0) key[9] = (chunk.port[row] << 16) | chunk.port[row ^ 1];
  key[10] = meta;
  if ((meta & HAS_IP) !== 0) key[11] = chunk.proto[row >> 1];
  if ((meta & HAS_ICMP) !== 0) key[11] |= chunk.icmp[row] << 8;
}

/** Names are those of `weir flows`. */
function nameOf(key: Int32Array, at: number): Record<string, string | number> {
  const meta = key[at + 10];
  const line: Record<string, string | number> = {};
  if ((meta & (HAS_IP | IS_ARP)) !== 0) {
    line['sourceAddress'] = formatAddress(key, at + 1);
    line['destinationAddress'] = formatAddress(key, at + 5);
  }
  if ((meta & HAS_PORTS) !== 0) {
    line['sourceTransportPort'] = key[at + 9] >>> 16;
    line['destinationTransportPort'] = key[at + 9] & 0xffff;
  }
  if ((meta & HAS_IP) !== 0) line['protocolIdentifier'] = key[at + 11] & 255;
  if ((meta & HAS_ICMP) !== 0) {
    line['icmpType'] = key[at + 11] >>> 16;
    line['icmpCode'] = (key[at + 11] >>> 8) & 255;
  }
  return line;
}

function addRow(doubles: Float64Array, at: number, row: number, chunk: Chunk): void {
  const i = row >> 1;
  doubles[at + PACKETS] += chunk.packets[row];
  doubles[at + BYTES] += chunk.bytes[row];
  doubles[at + FLAGS] |= chunk.flags[row];
  if ((chunk.meta[i] & BIFLOW) !== 0) {
    doubles[at + REVERSE_PACKETS] += chunk.packets[row ^ 1];
    doubles[at + REVERSE_BYTES] += chunk.bytes[row ^ 1];
    doubles[at + REVERSE_FLAGS] |= chunk.flags[row ^ 1];
  }
  if (chunk.startUs[i] < doubles[at + START]) doubles[at + START] = chunk.startUs[i];
  if (chunk.endUs[i] > doubles[at + END]) doubles[at + END] = chunk.endUs[i];
}

function print(name: Record<string, string | number>, sums: Float64Array): Record<string, string | number> {
  const tcp = name['protocolIdentifier'] === 6;
  const flags = { tcpControlBits: formatFlags(sums[FLAGS]), reverseTcpControlBits: formatFlags(sums[REVERSE_FLAGS]) };
  return {
    flowStart: formatUs(sums[START]),
    flowEnd: formatUs(sums[END]),
    ...name,
    packetDeltaCount: sums[PACKETS],
    octetDeltaCount: sums[BYTES],
    reversePacketDeltaCount: sums[REVERSE_PACKETS],
    reverseOctetDeltaCount: sums[REVERSE_BYTES],
    ...(tcp ? flags : {}),
  };
}
