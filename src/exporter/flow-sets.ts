import type { Context } from './context.ts';
import type { ExporterCounters } from './counters.ts';
import type { DataSets } from './data-sets.ts';
import type { HeldSets } from './held-sets.ts';
import { type Field, makeTemplate, TemplateReader } from './template.ts';
import type { TemplateBook } from './templates.ts';

/** Set ids from here on are template ids (RFC 3954, section 5.2; RFC 7011, section 3.3.2). */
export const FIRST_TEMPLATE_ID = 256;
const SET_HEADER = 4;

/** What v9 and IPFIX do not share: the numbers of their template sets and how a template record looks. */
export interface SetFormat {
  templateSet: number;
  optionsTemplateSet: number;
  templateFields(reader: TemplateReader): Field[] | null;
  /** Reads counts and fields of an options template. */
  optionsFields(reader: TemplateReader): { fields: Field[]; scopes: number } | null;
}

/** Records of a datagram, or -1 where sets of unknown templates keep the count unknown. */
export const UNKNOWN_COUNT = -1;

/** Walks the sets of a datagram: 2 bytes id, 2 bytes length with this header, then records. */
export class FlowSets {
  readonly #book: TemplateBook;
  readonly #held: HeldSets;
  readonly #data: DataSets;
  readonly #counters: ExporterCounters;
  readonly #withdrawals: boolean;

  constructor(book: TemplateBook, held: HeldSets, data: DataSets, counters: ExporterCounters, withdrawals: boolean) {
    this.#withdrawals = withdrawals;
    this.#book = book;
    this.#held = held;
    this.#data = data;
    this.#counters = counters;
  }

  /** @returns data records, options records included, or `UNKNOWN_COUNT` */
  read(format: SetFormat, data: Uint8Array, view: DataView, from: number, end: number, context: Context): number {
    let records = 0;
    let isKnown = true;
    for (let at = from; end - at >= SET_HEADER; ) {
      const id = view.getUint16(at);
      const length = view.getUint16(at + 2);
      if (length < SET_HEADER) {
        // Some exporters fill the datagram up with zeros.
        if (id !== 0 || length !== 0) this.#counters.truncated.value++;
        break;
      }
      if (length > end - at) this.#counters.truncated.value++;
      const to = Math.min(end, at + length);
      if (id >= FIRST_TEMPLATE_ID) {
        const count = this.#dataSet(id, data, view, at + SET_HEADER, to, context);
        if (count === UNKNOWN_COUNT) isKnown = false;
        else records += count;
      } else if (id === format.templateSet || id === format.optionsTemplateSet) {
        this.#templates(format, id === format.optionsTemplateSet, data, view, at + SET_HEADER, to, context);
      }
      at = to;
    }
    return isKnown ? records : UNKNOWN_COUNT;
  }

  #dataSet(id: number, data: Uint8Array, view: DataView, at: number, end: number, context: Context): number {
    const template = this.#book.find(context, id);
    if (template !== null) return this.#data.read(template, data, view, at, end, context);
    this.#held.add(data, at, end, id, context);
    return UNKNOWN_COUNT;
  }

  #templates(
    format: SetFormat,
    isOptions: boolean,
    data: Uint8Array,
    view: DataView,
    at: number,
    end: number,
    context: Context,
  ): void {
    const reader = new TemplateReader(view, at, end);
    while (reader.left >= 4) {
      const from = reader.at;
      const id = reader.u16();
      if (id < FIRST_TEMPLATE_ID) return;
      const layout = isOptions ? format.optionsFields(reader) : withoutScopes(format.templateFields(reader));
      if (layout === null) {
        this.#counters.badTemplate.value++;
        return;
      }
      if (layout.fields.length === 0) {
        if (this.#withdrawals) this.#book.withdraw(context, id);
        this.#counters.emptyTemplate.value++;
        continue;
      }
      const template = makeTemplate(id, layout.fields, layout.scopes, isOptions);
      this.#book.announce(context, template, data.subarray(from, reader.at));
      this.#release(context, id);
    }
  }

  /** Decodes what waited for this template. */
  #release(context: Context, id: number): void {
    for (const held of this.#held.take(context, id)) {
      const template = context.domain.templates.get(id);
      if (template === undefined) return;
      const view = new DataView(held.bytes.buffer, held.bytes.byteOffset, held.bytes.length);
      this.#data.read(template, held.bytes, view, 0, held.bytes.length, held.context);
    }
  }

  /** A template record that was kept: of a checkpoint. */
  restoreTemplate(format: SetFormat, raw: Uint8Array, isOptions: boolean, context: Context): void {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
    this.#templates(format, isOptions, raw, view, 0, raw.length, context);
  }
}

function withoutScopes(fields: Field[] | null): { fields: Field[]; scopes: number } | null {
  return fields === null ? null : { fields, scopes: 0 };
}

/** Whether the first set's header makes sense: what tells a datagram of sets from others that begin alike. */
export function looksLikeSet(format: SetFormat, view: DataView, at: number, end: number): boolean {
  if (end - at < SET_HEADER) return false;
  const id = view.getUint16(at);
  const known = id >= FIRST_TEMPLATE_ID || id === format.templateSet || id === format.optionsTemplateSet;
  return known && view.getUint16(at + 2) >= SET_HEADER;
}
