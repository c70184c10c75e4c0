import { damaged, type StateReader, type StateWriter } from '../core/state.ts';
import { createFlowBatch, type FlowBatch } from '../model/flow-batch.ts';

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

type Column = Int32Array | Float64Array;

/** Those columns of a batch that rules and evidence look at. */
export class RowColumns {
  readonly #columns: { name: keyof FlowBatch; width: number }[];

  /** @param uses columns of `Chunk` that only some rules look at */
  constructor(uses: ReadonlySet<string>) {
    const probe = createFlowBatch(1);
    const names = Object.keys(probe) as (keyof FlowBatch)[];
    this.#columns = names.flatMap((name) => {
      const column: unknown = probe[name];
      const wanted = KEPT.has(name) || [...uses].some((use) => RARE[use]?.includes(name));
      return wanted && ArrayBuffer.isView(column) ? [{ name, width: (column as Int32Array).length }] : [];
    });
  }

  /** Copies `n` rows from `from` on to `at` on. */
  copy(to: FlowBatch, at: number, batch: FlowBatch, from: number, n: number): void {
    for (const { name, width } of this.#columns) {
      const own = to[name] as Int32Array;
      own.set((batch[name] as Int32Array).subarray(from * width, (from + n) * width), at * width);
    }
  }

  /** Copies single rows, numbered from `first` on, to `at` on. */
  pick(to: FlowBatch, at: number, from: FlowBatch, rows: Int32Array, first: number): void {
    for (const { name, width } of this.#columns) {
      const own = to[name] as Column;
      const column = from[name] as Column;
      if (own instanceof Float64Array) pickDoubles(own, at, column as Float64Array, rows, first);
      else if (width > 1) pickWide(own, at, column as Int32Array, rows, first, width);
      else pickWords(own, at, column as Int32Array, rows, first);
    }
  }

  save(rows: FlowBatch, out: StateWriter): void {
    out.number(this.#columns.length);
    for (const { name, width } of this.#columns) {
      out.text(name);
      out.array(rows[name] as Int32Array, 0, rows.length * width);
    }
  }

  static restore(rows: FlowBatch, state: StateReader): void {
    for (let left = state.number(); left > 0; left--) {
      const name = state.text() as keyof FlowBatch;
      if (!Object.hasOwn(rows, name)) throw damaged(`recent rows have no column ${name}`);
      state.into(rows[name] as Int32Array);
    }
  }
}

function pickDoubles(to: Float64Array, at: number, from: Float64Array, rows: Int32Array, first: number): void {
  for (let k = 0; k < rows.length; k++) to[at + k] = from[rows[k] - first];
}

function pickWords(to: Int32Array, at: number, from: Int32Array, rows: Int32Array, first: number): void {
  for (let k = 0; k < rows.length; k++) to[at + k] = from[rows[k] - first];
}

function pickWide(to: Int32Array, at: number, from: Int32Array, rows: Int32Array, first: number, width: number): void {
  for (let k = 0; k < rows.length; k++) {
    for (let w = 0; w < width; w++) to[(at + k) * width + w] = from[(rows[k] - first) * width + w];
  }
}
