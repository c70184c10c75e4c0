import type { RulePlan } from '../model/plan.ts';
import type { Key, KeyHandle, WindowResults } from '../model/window-result.ts';
import type { KeyFormat } from './key-format.ts';
import type { KeyedTable } from './keyed-table.ts';
import { SAMPLES } from './layout.ts';
import type { CompiledRule } from './rule-plan.ts';
import type { Twin } from './twins.ts';
import type { WindowView } from './window-view.ts';

/** So few keys are always put in order, and all keys of rules without levels, whose windows are recorded. */
const SORTED = 64;

/** One closed window of one rule, over the window's own table. */
export class Results implements WindowResults {
  readonly rule: RulePlan;
  readonly ruleIndex: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly length: number;
  readonly values: Float64Array;
  readonly samples: Float64Array;
  readonly sorted: boolean;
  readonly matchedUs: Float64Array | null = null;
  readonly followedUs: Float64Array | null = null;
  readonly #view: WindowView;
  readonly #format: KeyFormat;
  readonly #compiled: CompiledRule;
  #positions: Int32Array | null = null;

  /** @param like results of the same window for another rule */
  constructor(
    compiled: CompiledRule,
    { rule, index }: Twin,
    startUs: number,
    endUs: number,
    view: WindowView,
    like?: Results,
  ) {
    this.rule = rule;
    this.ruleIndex = index;
    this.startUs = startUs;
    this.endUs = endUs;
    this.length = view.length;
    this.#compiled = compiled;
    this.#format = compiled.format;
    this.#view = view;
    this.sorted = view.length <= SORTED || compiled.rule.levels.length === 0;
    if (this.sorted && !like) view.rows.subarray(0, view.length).sort((a, b) => this.#compareRows(a, b));
    this.samples = like?.samples ?? column(view, SAMPLES);
    this.values = like?.values.slice() ?? this.#computeValues();
    const { follow } = compiled.extras;
    if (follow) {
      this.matchedUs = column(view, follow.firstUs);
      this.followedUs = column(view, follow.lastUs);
    }
  }

  /** The same window for another rule with the same tables; values are its own. */
  twin(twin: Twin): Results {
    return new Results(this.#compiled, twin, this.startUs, this.endUs, this.#view, this);
  }

  #computeValues(): Float64Array {
    const { code, measures } = this.#compiled;
    const width = measures.length;
    const values = new Float64Array(width * this.length);
    code.values(this.#view.keys, this.#view.rows, this.length, (this.endUs - this.startUs) / 1e6, values);
    for (const [m, { finish }] of measures.entries()) finish?.(this.#view, values, width, m);
    return values;
  }

  #at(i: number): number {
    return 2 * this.#view.rows[i] * this.#view.keys.stride + 1;
  }

  #compareRows(a: number, b: number): number {
    const { words, stride } = this.#view.keys;
    return this.#format.compare(words, 2 * a * stride + 1, words, 2 * b * stride + 1);
  }

  compare(i: number, j: number): number {
    return this.#compareRows(this.#view.rows[i], this.#view.rows[j]);
  }

  keyText(i: number): string {
    return this.#format.text(this.#view.keys.words, this.#at(i));
  }

  key(i: number): Key {
    return this.#format.key(this.#view.keys.words, this.#at(i));
  }

  handle(i: number): KeyHandle {
    const at = this.#at(i) - 1;
    return this.#view.keys.words.slice(at, at + 1 + this.#view.keys.keyWords);
  }

  indexOf(handle: KeyHandle): number {
    const row = this.#view.keys.find(handle, 0);
    if (row < 0) return -1;
    this.#positions ??= invert(this.#view);
    return this.#positions[row];
  }

  detail(i: number, measure: string): unknown {
    const m = this.rule.measures.findIndex(({ name }) => name === measure);
    return this.#compiled.measures[m]?.detail?.(this.#view, this.#view.rows[i]);
  }
}

function column({ keys, rows, length }: WindowView, accumulator: number): Float64Array {
  const out = new Float64Array(length);
  gather(keys, rows, length, keys.first + accumulator, out);
  return out;
}

function gather(keys: KeyedTable, rows: Int32Array, n: number, offset: number, out: Float64Array): void {
  const { doubles, stride } = keys;
  for (let k = 0; k < n; k++) out[k] = doubles[rows[k] * stride + offset];
}

/** Position in the results of each row, -1 for rows that are not in them. */
function invert({ keys, rows, length }: WindowView): Int32Array {
  const positions = new Int32Array(keys.count).fill(-1);
  for (let k = 0; k < length; k++) positions[rows[k]] = k;
  return positions;
}
