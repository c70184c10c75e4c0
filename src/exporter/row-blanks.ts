import type { FlowBatch } from '../model/flow-batch.ts';
import { DEFAULTS, type NumberColumn } from './row-columns.ts';
import type { RowPlan } from './row-plan.ts';

/** Finishing a row writes here also where the record has no such field. */
const WRITTEN_ANYWAY = DEFAULTS.findIndex(([column]) => column === 'icmpTypeCode');

/**
 * What stands in columns that a record does not fill. A column that is known to hold its default in every row of the
 * batch is not written again, so an exporter's records cost only the columns that they have.
 */
export class Blanks {
  readonly #columns: readonly NumberColumn[];
  /** By index in `DEFAULTS`: 1 where every row of the column holds its default. */
  readonly #isBlank = new Uint8Array(DEFAULTS.length);
  /** Columns that the plan at hand has to blank row by row. */
  readonly #each = new Int32Array(DEFAULTS.length);
  #count = 0;
  #plan: RowPlan | null = null;

  constructor(batch: FlowBatch) {
    this.#columns = DEFAULTS.map(([column]) => batch[column]);
  }

  /** Makes the columns without a field hold their default in rows `row` to `end`. */
  fill(plan: RowPlan, row: number, end: number): void {
    if (plan !== this.#plan || row === 0) this.#follow(plan, row);
    for (let i = 0; i < this.#count; i++) {
      const index = this.#each[i];
      this.#columns[index].fill(DEFAULTS[index][1], row, end);
    }
  }

  /** Another layout or another batch: only where no row stands yet can a whole column be blanked. */
  #follow(plan: RowPlan, row: number): void {
    const isBlank = this.#isBlank;
    this.#count = 0;
    for (const index of plan.blank) {
      if (isBlank[index] === 1) continue;
      if (row > 0 || index === WRITTEN_ANYWAY) this.#each[this.#count++] = index;
      else {
        this.#columns[index].fill(DEFAULTS[index][1]);
        isBlank[index] = 1;
      }
    }
    for (const index of plan.filled) isBlank[index] = 0;
    this.#plan = plan;
  }

  /** Anything may have been written. */
  forget(): void {
    this.#isBlank.fill(0);
    this.#plan = null;
  }
}
