import { type Element, type ElementType, elementOf, SCOPE_PEN } from './elements.ts';
import type { RowPlan } from './row-plan.ts';

/** The length in a template that says "the record tells" (RFC 7011, section 7). */
export const VARIABLE = 65_535;
const NO_PEN = -2;
/** No datagram can hold a template of more fields: 64 KiB of 4 bytes each. */
const MOST_FIELDS = 16_383;

export interface Field {
  pen: number;
  id: number;
  /** Bytes, or `VARIABLE`. */
  length: number;
  name: string;
  type: ElementType;
}

/** How the records of a set are laid out. */
export interface Template {
  id: number;
  fields: Field[];
  /** Fields at the beginning that say what an options record is about; 0 in a data template. */
  scopes: number;
  isOptions: boolean;
  /** Bytes that a record has at least. */
  minLength: number;
  /** Without variable fields every record is `minLength` long. */
  isFixed: boolean;
  /** The template record as it came: equal bytes mean that nothing changed, and it is what a checkpoint keeps. */
  raw: Uint8Array;
  /** When it was last announced, microseconds. */
  seenUs: number;
  /** Made when the first record comes: who announces templates and sends no data costs little. */
  plan: RowPlan | null;
}

export function makeTemplate(id: number, fields: Field[], scopes: number, isOptions: boolean): Template {
  let minLength = 0;
  for (const field of fields) minLength += field.length === VARIABLE ? 1 : field.length;
  const isFixed = fields.every((field) => field.length !== VARIABLE);
  return { id, fields, scopes, isOptions, minLength, isFixed, raw: new Uint8Array(0), seenUs: 0, plan: null };
}

/** Bytes that mean nothing. */
export function padding(length: number): Field {
  return { pen: NO_PEN, id: 0, length, name: '', type: 'octetArray' };
}

/** Exporters repeat their fields in every template: they are the same objects. */
const FIELDS = new Map<number, Field>();
const MOST_KNOWN = 8192;
/** Enterprise numbers below this, with the two of our own, make exact keys. */
const MOST_PEN = 2 ** 20;

export function makeField(pen: number, id: number, length: number): Field {
  const key = pen < MOST_PEN ? ((pen + 2) * 65_536 + id) * 65_536 + length : -1;
  const known = FIELDS.get(key);
  if (known !== undefined) return known;
  const { name, type }: Element = elementOf(pen, id);
  const field = { pen, id, length, name, type };
  if (key < 0) return field;
  if (FIELDS.size === MOST_KNOWN) FIELDS.clear();
  FIELDS.set(key, field);
  return field;
}

/** A reader of template records; `at` moves past each one. */
export class TemplateReader {
  readonly #view: DataView;
  readonly #end: number;
  at: number;

  constructor(view: DataView, at: number, end: number) {
    this.#view = view;
    this.at = at;
    this.#end = end;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#end - this.at;
  }

  u16(): number {
    const value = this.#view.getUint16(this.at);
    this.at += 2;
    return value;
  }

  /**
   * `count` field specifiers of NetFlow v9 (RFC 3954, section 5.2): type and length, 2 bytes each.
   * @returns null when they do not fit
   */
  v9Fields(count: number, pen = 0): Field[] | null {
    if (count > MOST_FIELDS || 4 * count > this.left) return null;
    const fields: Field[] = [];
    for (let i = 0; i < count; i++) fields.push(makeField(pen, this.u16(), this.u16()));
    return fields;
  }

  v9Scopes(count: number): Field[] | null {
    return this.v9Fields(count, SCOPE_PEN);
  }

  /**
   * `count` field specifiers of IPFIX (RFC 7011, section 3.2): type and length, 2 bytes each; with the type's top bit set
   * the enterprise number follows in 4 bytes.
   */
  ipfixFields(count: number): Field[] | null {
    if (count > MOST_FIELDS) return null;
    const fields: Field[] = [];
    for (let i = 0; i < count; i++) {
      if (this.left < 4) return null;
      const id = this.u16();
      const length = this.u16();
      let pen = 0;
      if ((id & 0x8000) !== 0) {
        if (this.left < 4) return null;
        pen = this.#view.getUint32(this.at);
        this.at += 4;
      }
      fields.push(makeField(pen, id & 0x7fff, length));
    }
    return fields;
  }
}
