import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { StringTable } from '../core/string-table.ts';
import type { Names } from '../model/names.ts';

const CACHE = 1 << 14;
/** Public second levels below which a registered domain has three labels. */
const SECOND_LEVELS = new Set(['ac', 'co', 'com', 'edu', 'gov', 'go', 'gob', 'gv', 'mil', 'ne', 'net', 'or', 'org']);

/**
 * Texts behind the ids of a row: each id is looked at once and its answers are remembered, so that a test costs a
 * table look-up a row. What is remembered never differs from what would be found anew: a text that left is not used.
 */
export class Texts implements Stateful {
  readonly names: Names;
  readonly domains = new StringTable(1 << 18);
  readonly #ids = new Int32Array(CACHE);
  readonly #domain = new Int32Array(CACHE);
  readonly #length = new Int32Array(CACHE);
  readonly #tests: TextTest[] = [];

  constructor(names: Names) {
    this.names = names;
  }

  /** Id in `domains` of the registered domain of a name id. */
  domain(id: number): number {
    return this.#domain[this.#known(id)];
  }

  nameLength(id: number): number {
    return this.#length[this.#known(id)];
  }

  #known(id: number): number {
    const slot = id & (CACHE - 1);
    if (this.#ids[slot] === id && this.names.names.holds(id)) return slot;
    const text = this.names.names.text(id);
    this.#ids[slot] = id;
    this.#domain[slot] = this.domains.intern(registeredDomain(text));
    this.#length[slot] = text.length;
    return slot;
  }

  /** The text of a field's id. */
  text(field: string, id: number): string {
    return this.#table(field).text(id);
  }

  /** The id of a text; a text that no row had yet gets one. */
  id(field: string, text: string): number {
    return this.#table(field).intern(text);
  }

  #table(field: string): StringTable {
    if (field === 'exporter') return this.names.exporters;
    return field === 'dns.domain' ? this.domains : this.names.names;
  }

  /** The number of a test, for `test`. */
  addTest(field: string, test: TextTest['test'], values: readonly string[]): number {
    const lower = values.map((value) => value.toLowerCase());
    this.#tests.push({ field, test, values: lower, ids: new Int32Array(CACHE), answers: new Uint8Array(CACHE) });
    return this.#tests.length - 1;
  }

  test(number: number, id: number): boolean {
    const test = this.#tests[number];
    const slot = id & (CACHE - 1);
    if (test.ids[slot] !== id || !this.#table(test.field).holds(id)) {
      test.ids[slot] = id;
      test.answers[slot] = holds(test, this.text(test.field, id).toLowerCase()) ? 1 : 0;
    }
    return test.answers[slot] === 1;
  }

  save(out: StateWriter): void {
    this.domains.save(out);
  }

  restore(state: StateReader): void {
    this.domains.restore(state);
  }
}

interface TextTest {
  field: string;
  test: 'equals' | 'prefix' | 'suffix' | 'contains';
  values: string[];
  ids: Int32Array;
  answers: Uint8Array;
}

function holds({ test, values }: TextTest, text: string): boolean {
  switch (test) {
    case 'equals':
      return values.includes(text);
    case 'prefix':
      return values.some((value) => text.startsWith(value));
    case 'suffix':
      return values.some((value) => text.endsWith(value));
    case 'contains':
      return values.some((value) => text.includes(value));
  }
}

/** The last two labels, three below a public second level such as `co.uk`. */
export function registeredDomain(name: string): string {
  const labels = name.split('.');
  if (labels.length <= 2) return name;
  const country = labels[labels.length - 1].length === 2 && SECOND_LEVELS.has(labels[labels.length - 2]);
  return labels.slice(country ? -3 : -2).join('.');
}
