import {
  ABSENT,
  COUNTS,
  ENDS,
  FRAME,
  FRAME_SIZE,
  HINTS,
  INITIATOR_OF,
  IP_SECTION,
  LAST_ONES,
  NO_TIME,
  STARTS,
  type TimeElement,
  type TimeRule,
  UPTIME,
} from './row-choices.ts';
import type { RowCode } from './row-code.ts';
import { type BatchColumn, DEFAULTS, type ScratchColumn } from './row-columns.ts';
import { type Field, type Template, VARIABLE } from './template.ts';

/** How a field reaches its column. */
export const UINT = 0;
export const IF_ZERO = 1;
export const ADDRESS = 2;
export const INNER_ADDRESS = 3;
export const SCRATCH_UINT = 4;
export const SCRATCH_NTP = 5;
export const SCRATCH_IF_ZERO = 6;

export interface RowStep {
  kind: number;
  /** Index of the field, and where it is in a record of fixed length. */
  field: number;
  offset: number;
  length: number;
  column: BatchColumn;
  scratch: ScratchColumn;
  /** For addresses. */
  isSource: boolean;
}

/** How the records of one template become rows: made once, run for every set. */
export interface RowPlan {
  /** Records so far; after some the copying is compiled: null where it cannot be, undefined before. */
  records: number;
  code: RowCode | null | undefined;
  steps: RowStep[];
  /** Columns that the records fill, and those that they leave blank: indices in `DEFAULTS`. */
  filled: number[];
  blank: number[];
  start: TimeRule;
  end: TimeRule;
  /** Microseconds a unit of the duration; 0 without one. */
  durationUnit: number;
  /** Both ends are uptimes, and nothing else tells of time. */
  isUptimes: boolean;
  hasBoot: boolean;
  hasIp: boolean;
  /** Not every row has an IPv4 source. */
  mayBeIpv6: boolean;
  hasVlan: boolean;
  /** Every row has both addresses, once each. */
  hasBothEnds: boolean;
  hasPorts: boolean;
  hasInner: boolean;
  isBiflow: boolean;
  /** The record itself says how it was sampled. */
  hasRate: boolean;
  hasSampler: boolean;
  hasEvent: boolean;
  hasIcmp: boolean;
  /** What the records do not say: `NO_...` bits of a batch's `meta`. */
  absent: number;
  /** Index of the field that holds a frame or an IP packet to look into, -1 without. */
  frame: number;
  frameIsIp: boolean;
  /** Index of the field that says how long the frame was, -1 without. */
  frameSize: number;
}

export function planRows(template: Template): RowPlan {
  return new Planner(template).plan();
}

class Planner {
  readonly #fields: Field[];
  readonly #offsets: number[] = [];
  readonly #steps: RowStep[] = [];

  constructor(template: Template) {
    this.#fields = template.fields;
    let offset = 0;
    for (const field of template.fields) {
      this.#offsets.push(offset);
      offset += field.length === VARIABLE ? 0 : field.length;
    }
  }

  plan(): RowPlan {
    this.#counts();
    const hasPorts = this.#lastOnes();
    const [hasSource, innerSource] = this.#addresses(true, [8, 27], [44, 170]);
    const [hasDestination, innerDestination] = this.#addresses(false, [12, 28], [45, 169]);
    const has = this.#hints();
    const hasIp = hasSource || hasDestination;
    const filled = new Set(this.#steps.map((step) => step.column));
    const frame = hasIp ? -1 : this.#find(0, FRAME, Number.POSITIVE_INFINITY);
    const start = this.#time(STARTS, 'start');
    const end = this.#time(ENDS, 'end');
    const durationUnit = this.#duration();
    return {
      records: 0,
      code: undefined,
      start,
      end,
      durationUnit,
      isUptimes: start.kind === UPTIME && end.kind === UPTIME && durationUnit === 0,
      steps: this.#steps,
      filled: DEFAULTS.flatMap(([column], index) => (filled.has(column) ? [index] : [])),
      blank: DEFAULTS.flatMap(([column], index) => (filled.has(column) ? [] : [index])),
      hasBoot: has.has('boot'),
      hasIp,
      mayBeIpv6: hasIp && (innerSource || !this.#steps.some(isIpv4Source)),
      hasVlan: filled.has('vlanId'),
      hasBothEnds: hasSource && hasDestination && !innerSource && !innerDestination,
      hasPorts,
      hasInner: innerSource || innerDestination,
      isBiflow: filled.has('reverseOctetDeltaCount') || filled.has('reversePacketDeltaCount'),
      hasRate: ['interval', 'population', 'rate'].some((name) => has.has(name)),
      hasSampler: has.has('sampler'),
      hasEvent: has.has('event'),
      hasIcmp: has.has('icmpType'),
      absent: ABSENT.reduce((bits, [column, bit]) => (filled.has(column) ? bits : bits | bit), 0),
      frame: frame >= 0 || hasIp ? frame : this.#find(0, IP_SECTION, Number.POSITIVE_INFINITY),
      frameIsIp: frame < 0,
      frameSize: this.#find(0, FRAME_SIZE, 8),
    };
  }

  #counts(): void {
    for (const [column, choices] of COUNTS) {
      for (const choice of choices) {
        if (!this.#hasInitiator(...choice[0])) continue;
        if (this.#find(...choice[0], 8) < 0) continue;
        let kind = UINT;
        for (const [pen, id] of choice) {
          const field = this.#find(pen, id, 8);
          if (field >= 0) this.#step(kind, field, column);
          kind = IF_ZERO;
        }
        break;
      }
    }
  }

  /** What the responder sent is an answer only beside what the initiator sent: some exporters use it for other things. */
  #hasInitiator(pen: number, id: number): boolean {
    const initiator = pen === 0 ? INITIATOR_OF.get(id) : undefined;
    return initiator === undefined || this.#find(0, initiator, 8) >= 0;
  }

  /** @returns whether there are ports */
  #lastOnes(): boolean {
    let found = false;
    for (const [column, bytes, ids] of LAST_ONES) {
      const general = this.#all(0, ids.slice(0, 1), bytes);
      const fields = general.length > 0 ? general : this.#all(0, ids, bytes);
      for (const field of fields) this.#step(fields === general ? UINT : IF_ZERO, field, column);
      if (fields.length > 0 && bytes === 2) found = true;
    }
    return found;
  }

  /** @returns whether there are any, and whether there is more than one */
  #addresses(isSource: boolean, full: number[], prefixes: number[]): [boolean, boolean] {
    const addresses = this.#all(0, full, 16);
    const fields = (addresses.length > 0 ? addresses : this.#all(0, prefixes, 16)).filter((i) =>
      [4, 16].includes(this.#fields[i].length),
    );
    fields.forEach((field, i) => {
      this.#steps.push({ ...this.#at(i === 0 ? ADDRESS : INNER_ADDRESS, field), isSource });
    });
    return [fields.length > 0, fields.length > 1];
  }

  #hints(): Set<string> {
    const has = new Set<string>();
    for (const [scratch, ids] of HINTS) {
      const fields = this.#all(0, ids, 8);
      fields.forEach((field, i) => {
        this.#steps.push({ ...this.#at(i === 0 ? SCRATCH_UINT : SCRATCH_IF_ZERO, field), scratch });
        has.add(scratch);
      });
    }
    return has;
  }

  #time(elements: TimeElement[], scratch: 'start' | 'end'): TimeRule {
    for (const { id, rule, isNtp } of elements) {
      const field = this.#find(0, id, 8);
      if (field < 0 || (isNtp && this.#fields[field].length !== 8)) continue;
      this.#steps.push({ ...this.#at(isNtp ? SCRATCH_NTP : SCRATCH_UINT, field), scratch });
      return rule;
    }
    return { kind: NO_TIME, unit: 0 };
  }

  #duration(): number {
    for (const [id, unit] of [
      [162, 1],
      [161, 1e3],
    ]) {
      const field = this.#find(0, id, 8);
      if (field < 0) continue;
      this.#steps.push({ ...this.#at(SCRATCH_UINT, field), scratch: 'duration' });
      return unit;
    }
    return 0;
  }

  #step(kind: number, field: number, column: BatchColumn): void {
    this.#steps.push({ ...this.#at(kind, field), column });
  }

  #at(kind: number, field: number): RowStep {
    const { length } = this.#fields[field];
    const place = { field, offset: this.#offsets[field], length };
    return { kind, ...place, column: 'meta', scratch: 'start', isSource: false };
  }

  #find(pen: number, id: number, longest: number): number {
    return this.#fields.findIndex((field) => field.pen === pen && field.id === id && fits(field, longest));
  }

  /** In wire order. */
  #all(pen: number, ids: readonly number[], longest: number): number[] {
    const fits_ = (field: Field) => field.pen === pen && ids.includes(field.id) && fits(field, longest);
    return this.#fields.flatMap((field, i) => (fits_(field) ? [i] : []));
  }
}

function isIpv4Source({ kind, isSource, length }: RowStep): boolean {
  return kind === ADDRESS && isSource && length === 4;
}

/** Numbers have no variable length in practice; a frame has. */
function fits(field: Field, longest: number): boolean {
  if (field.length === VARIABLE) return longest === Number.POSITIVE_INFINITY;
  return field.length > 0 && field.length <= longest;
}
