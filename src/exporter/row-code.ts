import { IPV4_WORD_2 } from '../model/address.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { RowScratch } from './row-columns.ts';
import { ADDRESS, type RowPlan, type RowStep, SCRATCH_UINT, UINT } from './row-plan.ts';

/** Copies the fields of `n` records that begin at `at` into rows from `row` on. */
export type RowCode = (
  batch: FlowBatch,
  scratch: RowScratch,
  view: DataView,
  at: number,
  n: number,
  row: number,
) => void;

const GETTERS: Readonly<Record<number, (place: string) => string>> = {
  1: (place) => `view.getUint8(${place})`,
  2: (place) => `view.getUint16(${place})`,
  4: (place) => `view.getUint32(${place})`,
  8: (place) => `view.getUint32(${place}) * 4294967296 + view.getUint32(${place} + 4)`,
};

/**
 * One loop over the records of a layout, made for it: every store has one kind of array, which a loop that serves all
 * layouts has not (half the time a record; test/exporters/collect.ts). Only numbers and names of columns go into it, nothing
 * that an exporter says but lengths. Null for layouts with fields that need more than a copy.
 */
export function compileRows(plan: RowPlan, stride: number): RowCode | null {
  const lines: string[] = [];
  const names = new Set<string>();
  for (const step of plan.steps) {
    const line = copyOf(step, names);
    if (line === null) return null;
    lines.push(line);
  }
  const columns = [...names].map((name) => `const ${name.replace('.', '_')} = ${name};`);
  const body = `${columns.join('\n')}
for (let p = at, r = row, end = row + n; r < end; r++, p += ${stride}) {
  const w = 4 * r;
  ${lines.join('\n  ')}
}`;
  return new Function('batch', 'scratch', 'view', 'at', 'n', 'row', body) as RowCode;
}

function copyOf(step: RowStep, names: Set<string>): string | null {
  const place = `p + ${step.offset}`;
  if (step.kind === ADDRESS) return addressOf(step, place, names);
  const isScratch = step.kind === SCRATCH_UINT;
  const get = GETTERS[step.length];
  if ((step.kind !== UINT && !isScratch) || get === undefined) return null;
  return `${use(isScratch ? `scratch.${step.scratch}` : `batch.${step.column}`, names)}[r] = ${get(place)};`;
}

function addressOf({ isSource, length }: RowStep, place: string, names: Set<string>): string {
  const words = use(isSource ? 'batch.sourceAddress' : 'batch.destinationAddress', names);
  const word = (k: number): string => {
    if (length === 16) return `view.getInt32(${place} + ${4 * k})`;
    return k === 3 ? `view.getInt32(${place})` : String(k === 2 ? IPV4_WORD_2 : 0);
  };
  return [0, 1, 2, 3].map((k) => `${words}[w + ${k}] = ${word(k)};`).join(' ');
}

function use(name: string, names: Set<string>): string {
  names.add(name);
  return name.replace('.', '_');
}
