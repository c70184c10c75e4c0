import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { StringTable } from '../core/string-table.ts';
import { type FlowBatch, sharedFlowBuffer, viewFlowBatch } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import { TextRows, type TextRowsData } from './text-rows.ts';

/** Rows of one block of staged flow records. */
export const BLOCK_ROWS = 4096;
const TABLES = ['layers', 'names', 'exporters'] as const;

/** Texts of the ids that staged rows carry. */
export type IdTexts = Record<(typeof TABLES)[number], { ids: number[]; texts: string[] }>;

/** What is staged, as another thread takes it. */
export interface StagedData {
  flows: { buffers: SharedArrayBuffer[]; rows: number; names: IdTexts };
  series: TextRowsData;
  windows: TextRowsData;
}

/** Rows on their way to files: columns in shared memory, copied once from the batches that brought them. */
export class StagedRows implements Stateful {
  /** `series | time, value`, and `rule, key, severity, values | start, end`; no severity is ''. */
  readonly series = new TextRows(1, 2);
  readonly windows = new TextRows(4, 2);
  readonly #names: Names;
  readonly #free: SharedArrayBuffer[];
  readonly #blocks: FlowBatch[] = [];
  readonly #known: IdTexts = { layers: idTexts(), names: idTexts(), exporters: idTexts() };
  readonly #seen: Record<(typeof TABLES)[number], Set<number>> = {
    layers: new Set(),
    names: new Set(),
    exporters: new Set(),
  };
  #flows = 0;

  /** @param free blocks that may be used again */
  constructor(names: Names, free: SharedArrayBuffer[]) {
    this.#names = names;
    this.#free = free;
  }

  get rows(): number {
    return this.#flows + this.series.rows + this.windows.rows;
  }

  flows(batch: FlowBatch): void {
    for (let from = 0; from < batch.length; ) {
      const block = this.#room();
      const count = Math.min(batch.length - from, BLOCK_ROWS - block.length);
      block.copyRows(block.length, batch, from, count);
      block.length += count;
      this.#flows += count;
      from += count;
    }
    this.#note('layers', batch.layers, batch.length);
    this.#note('names', batch.dnsName, batch.length);
    this.#note('names', batch.sni, batch.length);
    this.#note('exporters', batch.exporter, batch.length);
  }

  get data(): StagedData {
    const buffers = this.#blocks.map(({ buffer }) => buffer as SharedArrayBuffer);
    const flows = { buffers, rows: this.#flows, names: this.#known };
    return { flows, series: this.series.data, windows: this.windows.data };
  }

  /** The blocks, to be used again; nothing is staged here any more. */
  release(): SharedArrayBuffer[] {
    this.#flows = 0;
    return this.#blocks.splice(0).map(({ buffer }) => buffer as SharedArrayBuffer);
  }

  save(out: StateWriter): void {
    out.json(this.#known);
    out.number(this.#blocks.length);
    for (const block of this.#blocks) block.save(out);
    this.series.save(out);
    this.windows.save(out);
  }

  restore(state: StateReader): void {
    const known = state.json<IdTexts>();
    for (const table of TABLES) {
      this.#known[table] = known[table];
      for (const id of known[table].ids) this.#seen[table].add(id);
    }
    for (let blocks = state.number(); blocks > 0; blocks--) {
      const block = this.#newBlock();
      block.restore(state);
      this.#flows += block.length;
    }
    this.series.restore(state);
    this.windows.restore(state);
  }

  #room(): FlowBatch {
    const last = this.#blocks[this.#blocks.length - 1];
    return last !== undefined && last.length < BLOCK_ROWS ? last : this.#newBlock();
  }

  #newBlock(): FlowBatch {
    const block = viewFlowBatch(this.#free.pop() ?? sharedFlowBuffer(BLOCK_ROWS), BLOCK_ROWS);
    this.#blocks.push(block);
    return block;
  }

  /** Texts are taken while their ids mean something: a full table of names lets the oldest go. */
  #note(table: (typeof TABLES)[number], ids: Int32Array, length: number): void {
    const seen = this.#seen[table];
    let last = 0;
    for (let row = 0; row < length; row++) {
      const id = ids[row];
      if (id === last || id === 0) continue;
      last = id;
      if (!seen.has(id)) this.#learn(table, id, this.#names[table]);
    }
  }

  #learn(table: (typeof TABLES)[number], id: number, names: StringTable): void {
    this.#seen[table].add(id);
    this.#known[table].ids.push(id);
    this.#known[table].texts.push(names.text(id));
  }
}

function idTexts(): { ids: number[]; texts: string[] } {
  return { ids: [], texts: [] };
}
