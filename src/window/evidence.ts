import { formatUs } from '../core/time.ts';
import { formatAddress } from '../model/address.ts';
import type { Evaluation, EvidenceItem } from '../model/alert.ts';
import { formatFlags } from '../model/field.ts';
import { BIFLOW, HAS_ICMP, HAS_IP, HAS_PORTS, IS_ARP } from '../model/flow-batch.ts';
import type { Evidence } from '../model/plan.ts';
import { CHUNK, type Chunk } from './chunk.ts';
import { KeyFormat } from './key-format.ts';
import type { RecentRows } from './recent-rows.ts';
import type { Scratch } from './rule-code.ts';
import type { CompiledRule } from './rule-plan.ts';

/** Different values or flows that one item gathers at most. */
const MOST_GATHERED = 1 << 16;

interface Gathered {
  value: string;
  amount: number;
}

interface FlowLine {
  line: Record<string, string | number>;
  packets: number;
  bytes: number;
  reversePackets: number;
  reverseBytes: number;
  flags: number;
  reverseFlags: number;
  startUs: number;
  endUs: number;
}

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
    compiled.code.keys(n);
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
  readonly #amounts = new Map<string, Gathered>();
  #total = 0;

  constructor({ rule, format, code }: CompiledRule, e: number) {
    const item = rule.evidence[e];
    this.#format = new KeyFormat(item.fn === 'topk' ? item.of : [], format.texts);
    this.#amount = code.evidence[e];
  }

  row(row: number, _: Chunk, { pairWords }: Scratch): void {
    const amount = this.#amount(row);
    if (!(amount > 0)) return;
    this.#total += amount;
    const id = pairWords.subarray(1, 1 + this.#format.length).join();
    const known = this.#amounts.get(id);
    if (known) known.amount += amount;
    else if (this.#amounts.size < MOST_GATHERED) {
      this.#amounts.set(id, { value: this.#format.tuple(pairWords, 1), amount });
    }
  }

  answer(evidence: Evidence): EvidenceItem {
    const of = evidence.fn === 'topk' ? evidence.of.map(({ field }) => field).join(' ') : '';
    const by = evidence.fn === 'topk' ? evidence.summand : '';
    const items = [...this.#amounts.values()].sort((a, b) => b.amount - a.amount || (a.value < b.value ? -1 : 1));
    const share = (amount: number): number => Math.round((1e4 * amount) / this.#total) / 1e4;
    return { topk: of, by, items: items.slice(0, evidence.k).map((item) => ({ ...item, share: share(item.amount) })) };
  }
}

/** The heaviest flows, each with all its rows of the window. */
class TopFlows implements Gatherer {
  readonly #k: number;
  readonly #flows = new Map<string, FlowLine>();

  constructor(k: number) {
    this.#k = k;
  }

  row(row: number, chunk: Chunk): void {
    const line = identify(row, chunk);
    const id = Object.values(line).join();
    const known = this.#flows.get(id) ?? this.#begin(id, line);
    if (known) addRow(known, row, chunk);
  }

  #begin(id: string, line: Record<string, string | number>): FlowLine | null {
    if (this.#flows.size >= MOST_GATHERED) return null;
    const times = { startUs: Number.POSITIVE_INFINITY, endUs: Number.NEGATIVE_INFINITY };
    const sums = { packets: 0, bytes: 0, reversePackets: 0, reverseBytes: 0, flags: 0, reverseFlags: 0 };
    const flow = { line, ...sums, ...times };
    this.#flows.set(id, flow);
    return flow;
  }

  answer(): EvidenceItem {
    const flows = [...this.#flows].sort(
      ([a, x], [b, y]) => y.packets - x.packets || y.bytes - x.bytes || x.startUs - y.startUs || (a < b ? -1 : 1),
    );
    return { flows: flows.slice(0, this.#k).map(([, flow]) => print(flow)) };
  }
}

function nothing(evidence: Evidence): EvidenceItem {
  if (evidence.fn === 'flows') return { flows: [] };
  return { topk: evidence.of.map(({ field }) => field).join(' '), by: evidence.summand, items: [] };
}

function sameWords(words: Int32Array, at: number, key: Int32Array): boolean {
  for (let k = 0; k < key.length; k++) if (words[at + k] !== key[k]) return false;
  return true;
}

/** Names are those of `weir flows`. */
function identify(row: number, chunk: Chunk): Record<string, string | number> {
  const meta = chunk.meta[row >> 1];
  const line: Record<string, string | number> = {};
  if ((meta & (HAS_IP | IS_ARP)) !== 0) {
    line['sourceAddress'] = formatAddress(chunk.address, 4 * row);
    line['destinationAddress'] = formatAddress(chunk.address, 4 * (row ^ 1));
  }
  if ((meta & HAS_PORTS) !== 0) {
    line['sourceTransportPort'] = chunk.port[row];
    line['destinationTransportPort'] = chunk.port[row ^ 1];
  }
  if ((meta & HAS_IP) !== 0) line['protocolIdentifier'] = chunk.proto[row >> 1];
  if ((meta & HAS_ICMP) !== 0) {
    line['icmpType'] = chunk.icmp[row] >> 8;
    line['icmpCode'] = chunk.icmp[row] & 255;
  }
  return line;
}

function addRow(flow: FlowLine, row: number, chunk: Chunk): void {
  const i = row >> 1;
  flow.packets += chunk.packets[row];
  flow.bytes += chunk.bytes[row];
  flow.flags |= chunk.flags[row];
  if ((chunk.meta[i] & BIFLOW) !== 0) {
    flow.reversePackets += chunk.packets[row ^ 1];
    flow.reverseBytes += chunk.bytes[row ^ 1];
    flow.reverseFlags |= chunk.flags[row ^ 1];
  }
  if (chunk.startUs[i] < flow.startUs) flow.startUs = chunk.startUs[i];
  if (chunk.endUs[i] > flow.endUs) flow.endUs = chunk.endUs[i];
}

function print(flow: FlowLine): Record<string, string | number> {
  const tcp = flow.line['protocolIdentifier'] === 6;
  return {
    flowStart: formatUs(flow.startUs),
    flowEnd: formatUs(flow.endUs),
    ...flow.line,
    packetDeltaCount: flow.packets,
    octetDeltaCount: flow.bytes,
    reversePacketDeltaCount: flow.reversePackets,
    reverseOctetDeltaCount: flow.reverseBytes,
    ...(tcp ? { tcpControlBits: formatFlags(flow.flags), reverseTcpControlBits: formatFlags(flow.reverseFlags) } : {}),
  };
}
