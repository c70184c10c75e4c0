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
export class RecentRows {
  readonly #blocks: Block[] = [];
  readonly #most: number;
  #next = 0;
  readonly #columns: { name: keyof FlowBatch; width: number }[];

  /** @param uses columns of `Chunk` that only some rules look at */
  constructor(rows: number, uses: ReadonlySet<string>) {
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

  /** Blocks that hold rows between the two times. */
  within(startUs: number, endUs: number): FlowBatch[] {
    const hit = this.#blocks.filter((block) => block.earliestUs < endUs && block.latestUs >= startUs);
    return hit.map(({ rows }) => rows);
  }
}
