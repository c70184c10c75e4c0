import { FIELDS } from '../model/field.ts';
import type { RulePlan } from '../model/plan.ts';
import { PrefixIntervals } from '../model/prefix-intervals.ts';
import type { KeyHandle } from '../model/window-result.ts';

interface Named {
  default: number;
  intervals: PrefixIntervals;
  values: number[];
}

/** Thresholds of a rule: the longest prefix that holds an address of the key wins. */
export class Thresholds {
  /** One row that serves every key; null when keys differ. */
  readonly same: Float64Array | null;
  readonly #named: Named[];
  /** Where the address fields stand among a key's words. */
  readonly #addresses: number[];

  constructor(rule: RulePlan, names: readonly string[]) {
    this.#named = names.map((name) => {
      const { default: value, prefixes } = rule.thresholds[name];
      const intervals = new PrefixIntervals(prefixes.map(({ prefix }) => prefix));
      return { default: value, intervals, values: prefixes.map((each) => each.value) };
    });
    this.#addresses = addressWords(rule);
    const plain = this.#addresses.length === 0 || this.#named.every(({ values }) => values.length === 0);
    this.same = plain ? Float64Array.from(this.#named, (named) => named.default) : null;
  }

  get width(): number {
    return this.#named.length;
  }

  /** Writes the thresholds of one key. */
  write(handle: KeyHandle, out: Float64Array, at: number): void {
    this.#named.forEach((named, k) => {
      out[at + k] = this.#find(named, handle);
    });
  }

  #find({ default: value, intervals, values }: Named, handle: KeyHandle): number {
    for (const word of this.#addresses) {
      const [longest] = intervals.members[intervals.find(handle, word)];
      if (longest !== undefined) return values[longest];
    }
    return value;
  }
}

/** Word 0 of a handle is its hash. */
function addressWords(rule: RulePlan): number[] {
  const places: number[] = [];
  let word = 1;
  for (const { field } of rule.by) {
    const { type } = FIELDS[field];
    if (type === 'ip') places.push(word);
    word += type === 'ip' ? 4 : type === 'mac' ? 2 : 1;
  }
  return places;
}
