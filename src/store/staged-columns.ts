import { type FlowBatch, viewFlowBatch } from '../model/flow-batch.ts';
import type { Values } from './parquet-page.ts';
import { BLOCK_ROWS } from './staged-rows.ts';

const SHIFT = Math.log2(BLOCK_ROWS);
const MASK = BLOCK_ROWS - 1;

type Column = Float64Array | Int32Array | Uint16Array | Uint8Array;
export type NumberColumn = { [K in keyof FlowBatch]: FlowBatch[K] extends Column ? K : never }[keyof FlowBatch];

export const NOTHING: Values = { isSame: true, take: (order, out) => void out.fill(Number.NaN, 0, order.length) };

/** Columns of staged records: row `n` stands in block `n / 4096`. */
export class StagedColumns {
  readonly rows: number;
  readonly blocks: readonly FlowBatch[];
  readonly #meta: readonly Int32Array[];
  /** Bits that some row has; bits that all of them have. */
  #some = 0;
  #all = -1;

  constructor({ buffers, rows }: { buffers: readonly SharedArrayBuffer[]; rows: number }) {
    this.rows = rows;
    this.blocks = buffers.map((buffer, i) => {
      const block = viewFlowBatch(buffer, BLOCK_ROWS);
      block.length = Math.min(BLOCK_ROWS, rows - i * BLOCK_ROWS);
      return block;
    });
    this.#meta = this.blocks.map(({ meta }) => meta);
    for (const { meta, length } of this.blocks) {
      for (let row = 0; row < length; row++) {
        this.#some |= meta[row];
        this.#all &= meta[row];
      }
    }
  }

  /** A column as it is. */
  of(name: NumberColumn): Values {
    const parts = this.blocks.map((block) => block[name] as Column);
    const gather = GATHER.get(parts[0].constructor)!;
    return { isSame: this.#isSame(parts), take: (order, out) => gather(parts, order, out) };
  }

  /** Values of rows that have one of these bits in `meta`. */
  where(bits: number, of: Values): Values {
    if ((this.#some & bits) === 0) return NOTHING;
    if ((this.#all & bits) !== 0) return of;
    const take = (order: Uint32Array, out: Float64Array): void => {
      of.take(order, out);
      drop(this.#meta, bits, order, out);
    };
    return { isSame: false, take };
  }

  /** Compares the bytes with themselves, one place further on. */
  #isSame(parts: readonly Column[]): boolean {
    return parts.every((part, i) => {
      const { BYTES_PER_ELEMENT: width } = part;
      const bytes = new Uint8Array(part.buffer, part.byteOffset, width * this.blocks[i].length);
      return part[0] === parts[0][0] && Buffer.compare(bytes.subarray(width), bytes.subarray(0, -width)) === 0;
    });
  }
}

type Gather = (parts: readonly Column[], order: Uint32Array, out: Float64Array) => void;

/** Compiled for each type: one loop for all of them would ask each time which it is. */
const GATHER = new Map([Float64Array, Int32Array, Uint16Array, Uint8Array].map((type) => [type as unknown, compile()]));

function compile(): Gather {
  return new Function(
    ...['parts', 'order', 'out'],
    `for (let i = 0; i < order.length; i++) out[i] = parts[order[i] >> ${SHIFT}][order[i] & ${MASK}];`,
  ) as Gather;
}

function drop(metas: readonly Int32Array[], bits: number, order: Uint32Array, out: Float64Array): void {
  for (let i = 0; i < order.length; i++) {
    if ((metas[order[i] >> SHIFT][order[i] & MASK] & bits) === 0) out[i] = Number.NaN;
  }
}
