import { damaged, type Stateful, type StateReader, type StateWriter } from '../core/state.ts';
import { createFlowBatch, type FlowBatch } from '../model/flow-batch.ts';
import { RowColumns } from './row-columns.ts';

const BLOCK = 8192;
/** Rows beyond those of evidence that stay because somebody reads them. */
const MOST_READ = 1 << 19;

/** Whoever comes back to rows: they stay until it lets them go. */
export interface RowReader {
  /** Number of the oldest row that it needs; Infinity without. */
  readonly oldestRow: number;
  /** Rows that began then or later have to be saved for others; Infinity without. */
  readonly sinceUs: number;
  /** There is no room any more: rows before this one will be overwritten. */
  letGo(beforeRow: number): void;
}

interface Block {
  /** Rows are numbered from the first that ever came: this times `BLOCK` is the block's first. */
  number: number;
  rows: FlowBatch;
  earliestUs: number;
  latestUs: number;
}

/**
 * The newest slices, column by column, so that an alert can show whose they were and rules can come back to them (`deferral.ts`). The
 * oldest block is overwritten.
 */
export class RecentRows implements Stateful {
  /** Oldest first. */
  #blocks: Block[] = [];
  /** Blocks that evidence looks at. */
  readonly #most: number;
  /** Blocks in all. */
  readonly #room: number;
  readonly #readers: RowReader[] = [];
  #nextNumber = 0;
  readonly #columns: RowColumns;
  /** Number of the last batch's first row. */
  firstOfBatch = 0;

  /** Rows that ended so long before the newest are not saved: no window of any rule reaches back to them. */
  readonly #reachUs: number;

  /**
   * @param rows for evidence
   * @param uses columns of `Chunk` that only some rules look at
   * @param read rows more that readers may keep
   */
  constructor(rows: number, uses: ReadonlySet<string>, reachUs: number, read = MOST_READ) {
    this.#reachUs = reachUs;
    this.#most = Math.ceil(rows / BLOCK);
    this.#room = this.#most + Math.ceil(read / BLOCK);
    this.#columns = new RowColumns(uses);
  }

  register(reader: RowReader): void {
    this.#readers.push(reader);
  }

  add(batch: FlowBatch): void {
    if (this.#most === 0 && this.#readers.length === 0) return;
    const newest = this.#blocks[this.#blocks.length - 1];
    const partly = newest && newest.rows.length < BLOCK;
    this.firstOfBatch = partly ? newest.number * BLOCK + newest.rows.length : this.#nextNumber * BLOCK;
    for (let from = 0; from < batch.length; ) {
      const block = this.#open();
      const n = Math.min(batch.length - from, BLOCK - block.rows.length);
      this.#copy(block, batch, from, n);
      from += n;
    }
  }

  #open(): Block {
    const newest = this.#blocks[this.#blocks.length - 1];
    if (newest && newest.rows.length < BLOCK) return newest;
    const block = this.#free() ?? { number: 0, rows: createFlowBatch(BLOCK), earliestUs: 0, latestUs: 0 };
    block.number = this.#nextNumber++;
    block.rows.length = 0;
    block.earliestUs = Number.POSITIVE_INFINITY;
    block.latestUs = Number.NEGATIVE_INFINITY;
    this.#blocks.push(block);
    return block;
  }

  /** Takes out blocks that nobody needs, and oldest ones that there is no room for; one of them is used again. */
  #free(): Block | undefined {
    let free: Block | undefined;
    while (this.#blocks.length >= Math.max(1, this.#most)) {
      const before = (this.#blocks[0].number + 1) * BLOCK;
      // Nobody has seen the batch itself yet.
      if (before > this.firstOfBatch) break;
      if (this.#blocks.length < this.#room && this.#isRead(this.#blocks[0])) break;
      for (const reader of this.#readers) if (reader.oldestRow < before) reader.letGo(before);
      free = this.#blocks.shift();
    }
    return free;
  }

  #isRead({ number, latestUs }: Block): boolean {
    const end = (number + 1) * BLOCK;
    return this.#readers.some(({ oldestRow, sinceUs }) => oldestRow < end || sinceUs <= latestUs);
  }

  #copy(block: Block, batch: FlowBatch, from: number, n: number): void {
    const to = block.rows.length;
    this.#columns.copy(block.rows, to, batch, from, n);
    for (let i = from; i < from + n; i++) {
      if (batch.startUs[i] < block.earliestUs) block.earliestUs = batch.startUs[i];
      if (batch.endUs[i] > block.latestUs) block.latestUs = batch.endUs[i];
    }
    block.rows.length = to + n;
  }

  /** Blocks that hold rows between the two times, oldest first. */
  within(startUs: number, endUs: number): FlowBatch[] {
    const known = this.#blocks.slice(-Math.max(1, this.#most));
    const hit = known.filter((block) => block.earliestUs < endUs && block.latestUs >= startUs);
    return hit.map(({ rows }) => rows);
  }

  /** Copies rows that a reader kept into `to`: in the order of `rows`, numbers counted from `base`. */
  gather(base: number, rows: Int32Array, to: FlowBatch): void {
    for (let from = 0, end = 0; from < rows.length; from = end) {
      const number = Math.floor((base + rows[from]) / BLOCK);
      const first = number * BLOCK - base;
      for (end = from + 1; end < rows.length && rows[end] >= first && rows[end] < first + BLOCK; ) end++;
      const block = this.#blocks.find((each) => each.number === number);
      if (!block) throw damaged(`it holds no block ${number} of rows`);
      this.#columns.pick(to, from, block.rows, rows.subarray(from, end), first);
    }
    to.length = rows.length;
  }

  save(out: StateWriter): void {
    const newestUs = Math.max(...this.#blocks.map(({ latestUs }) => latestUs));
    const kept = this.#blocks.filter((block) => block.latestUs >= newestUs - this.#reachUs || this.#isRead(block));
    out.number(this.#nextNumber);
    out.number(kept.length);
    for (const { number, rows, earliestUs, latestUs } of kept) {
      for (const value of [number, rows.length, earliestUs, latestUs]) out.number(value);
      this.#columns.save(rows, out);
    }
  }

  restore(state: StateReader): void {
    this.#nextNumber = state.number();
    this.#blocks = [];
    for (let left = state.number(); left > 0; left--) this.#blocks.push(restoreBlock(state));
    this.#blocks.splice(0, this.#blocks.length - this.#room);
  }
}

/** Columns that were not kept then and are looked at now read as not there. */
function restoreBlock(state: StateReader): Block {
  const rows = createFlowBatch(BLOCK);
  const number = state.number();
  const length = state.number();
  if (!(length <= BLOCK)) throw damaged(`${length} recent rows in a block`);
  const block = { number, rows, earliestUs: state.number(), latestUs: state.number() };
  for (let row = 0; row < length; row++) rows.clearRow(row);
  RowColumns.restore(rows, state);
  rows.length = length;
  return block;
}
