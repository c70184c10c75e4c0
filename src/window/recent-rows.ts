import { damaged, type Stateful, type StateReader, type StateWriter } from '../core/state.ts';
import { createFlowBatch, type FlowBatch } from '../model/flow-batch.ts';

const BLOCK = 8192;

/** What rules and evidence look at; other columns are not copied. */
const KEPT = new Set<string>([
  'startUs',
  'endUs',
  'packetDeltaCount',
  'octetDeltaCount',
  'reversePacketDeltaCount',
  'reverseOctetDeltaCount',
  'samplingInterval',
  'meta',
  'sourceAddress',
  'destinationAddress',
  'sourceTransportPort',
  'destinationTransportPort',
  'tcpControlBits',
  'reverseTcpControlBits',
  'protocolIdentifier',
  'icmpTypeCode',
]);
const RARE: Readonly<Record<string, readonly string[]>> = {
  outer: ['outerSourceAddress', 'outerDestinationAddress'],
  mac: ['sourceMacAddress', 'destinationMacAddress'],
  as: ['sourceAs', 'destinationAs'],
  inIf: ['ingressInterface', 'egressInterface'],
  outIf: ['ingressInterface', 'egressInterface'],
  vlan: ['vlanId'],
  tos: ['ipClassOfService'],
  dnsName: ['dnsName'],
  dnsType: ['dnsType'],
  sni: ['sni'],
  exporter: ['exporter'],
};

interface Block {
  rows: FlowBatch;
  earliestUs: number;
  latestUs: number;
}

/** The newest slices, column by column, so that an alert can show whose they were. The oldest block is overwritten. */
export class RecentRows implements Stateful {
  readonly #blocks: Block[] = [];
  readonly #most: number;
  #next = 0;
  readonly #columns: { name: keyof FlowBatch; width: number }[];

  /** Rows that ended so long before the newest are not saved: no window of any rule reaches back to them. */
  readonly #reachUs: number;

  /** @param uses columns of `Chunk` that only some rules look at */
  constructor(rows: number, uses: ReadonlySet<string>, reachUs: number) {
    this.#reachUs = reachUs;
    this.#most = Math.max(1, Math.ceil(rows / BLOCK));
    const probe = createFlowBatch(1);
    const names = Object.keys(probe) as (keyof FlowBatch)[];
    this.#columns = names.flatMap((name) => {
      const column: unknown = probe[name];
      const wanted = KEPT.has(name) || [...uses].some((use) => RARE[use]?.includes(name));
      return wanted && ArrayBuffer.isView(column) ? [{ name, width: (column as Int32Array).length }] : [];
    });
  }

  add(batch: FlowBatch): void {
    for (let from = 0; from < batch.length; ) {
      const block = this.#open();
      const n = Math.min(batch.length - from, BLOCK - block.rows.length);
      this.#copy(block, batch, from, n);
      from += n;
    }
  }

  #open(): Block {
    const current = this.#blocks[this.#next];
    if (current && current.rows.length < BLOCK) return current;
    if (current) this.#next = (this.#next + 1) % this.#most;
    const block = this.#blocks[this.#next] ?? { rows: createFlowBatch(BLOCK), earliestUs: 0, latestUs: 0 };
    this.#blocks[this.#next] = block;
    block.rows.length = 0;
    block.earliestUs = Number.POSITIVE_INFINITY;
    block.latestUs = Number.NEGATIVE_INFINITY;
    return block;
  }

  #copy(block: Block, batch: FlowBatch, from: number, n: number): void {
    const to = block.rows.length;
    for (const { name, width } of this.#columns) {
      const own = block.rows[name] as Int32Array;
      own.set((batch[name] as Int32Array).subarray(from * width, (from + n) * width), to * width);
    }
    for (let i = from; i < from + n; i++) {
      if (batch.startUs[i] < block.earliestUs) block.earliestUs = batch.startUs[i];
      if (batch.endUs[i] > block.latestUs) block.latestUs = batch.endUs[i];
    }
    block.rows.length = to + n;
  }

  /** Blocks that hold rows between the two times, oldest first. */
  within(startUs: number, endUs: number): FlowBatch[] {
    const hit = this.#inOrder().filter((block) => block.earliestUs < endUs && block.latestUs >= startUs);
    return hit.map(({ rows }) => rows);
  }

  #inOrder(): Block[] {
    const { length } = this.#blocks;
    return this.#blocks.map((_, i) => this.#blocks[(this.#next + 1 + i) % length]);
  }

  save(out: StateWriter): void {
    const newestUs = Math.max(...this.#blocks.map(({ latestUs }) => latestUs));
    const kept = this.#inOrder().filter(({ latestUs }) => latestUs >= newestUs - this.#reachUs);
    out.number(kept.length);
    for (const block of kept) {
      const { rows, earliestUs, latestUs } = block;
      for (const value of [rows.length, earliestUs, latestUs, this.#columns.length]) out.number(value);
      for (const { name, width } of this.#columns) {
        out.text(name);
        out.array(rows[name] as Int32Array, 0, rows.length * width);
      }
    }
  }

  restore(state: StateReader): void {
    this.#blocks.length = 0;
    for (let left = state.number(); left > 0; left--) this.#blocks.push(restoreBlock(state));
    this.#blocks.splice(0, this.#blocks.length - this.#most);
    this.#next = Math.max(0, this.#blocks.length - 1);
  }
}

/** Columns that were not kept then and are looked at now read as not there. */
function restoreBlock(state: StateReader): Block {
  const rows = createFlowBatch(BLOCK);
  const length = state.number();
  if (!(length <= BLOCK)) throw damaged(`${length} recent rows in a block`);
  const block = { rows, earliestUs: state.number(), latestUs: state.number() };
  for (let row = 0; row < length; row++) rows.clearRow(row);
  for (let left = state.number(); left > 0; left--) {
    const name = state.text() as keyof FlowBatch;
    if (!Object.hasOwn(rows, name)) throw damaged(`recent rows have no column ${name}`);
    state.into(rows[name] as Int32Array);
  }
  rows.length = length;
  return block;
}
