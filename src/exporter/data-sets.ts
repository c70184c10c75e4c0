import type { FlowBatch } from '../model/flow-batch.ts';
import type { Context } from './context.ts';
import type { ExporterCounters } from './counters.ts';
import { learnOptions } from './options.ts';
import { type Elements, recordElements } from './record-elements.ts';
import { planRows } from './row-plan.ts';
import type { Places, RowWriter } from './row-writer.ts';
import { type Template, VARIABLE } from './template.ts';

export type RecordKind = 'flow' | 'options' | 'counters' | 'discard';

/** Takes every data record with its elements; row `row` of the batch has what is in columns. */
export type RecordSink = (kind: RecordKind, batch: FlowBatch, row: number, elements: Elements) => void;

/** Data sets of NetFlow v9 and IPFIX, and the records of the fixed versions: one layout after another. */
export class DataSets {
  readonly #writer: RowWriter;
  readonly #counters: ExporterCounters;
  readonly #onRecord: RecordSink | null;
  /** Elements that a header says of each of its records (v5). */
  headerElements: Elements | null = null;
  readonly #places: Places = { at: new Int32Array(64), length: new Int32Array(64) };

  constructor(writer: RowWriter, counters: ExporterCounters, onRecord: RecordSink | null) {
    this.#writer = writer;
    this.#counters = counters;
    this.#onRecord = onRecord;
  }

  /** Records of `template` in bytes `at` to `end`; what is left is padding. @returns how many there were */
  read(template: Template, data: Uint8Array, view: DataView, at: number, end: number, context: Context): number {
    if (template.minLength === 0) {
      this.#counters.emptyTemplate.value++;
      return 0;
    }
    const unknown = context.exporter.unknownRate;
    const count = this.#read(template, data, view, at, end, context);
    this.#counters.unknownRate.value += context.exporter.unknownRate - unknown;
    return count;
  }

  #read(template: Template, data: Uint8Array, view: DataView, at: number, end: number, context: Context): number {
    const { minLength } = template;
    template.plan ??= planRows(template);
    const isSimple = template.isFixed && !template.isOptions && template.plan.frame < 0 && this.#onRecord === null;
    if (!isSimple) return this.#each(template, data, view, at, end, context);
    const count = Math.floor((end - at) / minLength);
    this.#writer.writeFixed(template, view, at, count, context);
    this.#counters.records.value += count;
    context.exporter.records += count;
    return count;
  }

  #each(template: Template, data: Uint8Array, view: DataView, at: number, end: number, context: Context): number {
    let count = 0;
    for (let next = at; end - next >= template.minLength; count++) {
      next = this.#locate(template, data, next, end);
      if (next < 0) {
        this.#counters.truncated.value++;
        break;
      }
      if (template.isOptions) this.#options(template, data, context);
      else this.#flow(template, data, view, context);
    }
    return count;
  }

  #options(template: Template, data: Uint8Array, context: Context): void {
    learnOptions(template, data, this.#places, context);
    this.#counters.options.value++;
    if (this.#onRecord === null) return;
    const row = this.#writer.blank(context);
    this.#tell('options', template, data, row);
  }

  #flow(template: Template, data: Uint8Array, view: DataView, context: Context): void {
    this.#writer.writeOne(template, data, view, this.#places, context);
    this.#counters.records.value++;
    context.exporter.records++;
    if (this.#onRecord !== null) this.#tell('flow', template, data, this.#writer.batch.length - 1);
  }

  #tell(kind: RecordKind, template: Template, data: Uint8Array, row: number): void {
    const elements = recordElements(template, data, this.#places);
    if (this.headerElements !== null) Object.assign(elements, this.headerElements);
    this.#onRecord?.(kind, this.#writer.batch, row, elements);
    this.#writer.batch.length = row;
  }

  /**
   * Finds the fields of the record at `at`. A variable field begins with its length in one byte, or 255 and two bytes
   * (RFC 7011, section 7). @returns where the record ends, -1 when that is past `end`
   */
  #locate(template: Template, data: Uint8Array, at: number, end: number): number {
    const { fields } = template;
    const places = this.#room(fields.length);
    let next = at;
    for (let i = 0; i < fields.length; i++) {
      let { length } = fields[i];
      if (length === VARIABLE) {
        if (next >= end) return -1;
        length = data[next++];
        if (length === 255) {
          if (next + 2 > end) return -1;
          length = (data[next] << 8) | data[next + 1];
          next += 2;
        }
      }
      if (length > end - next) return -1;
      places.at[i] = next;
      places.length[i] = length;
      next += length;
    }
    return next;
  }

  #room(fields: number): Places {
    const places = this.#places;
    if (fields > places.at.length) {
      places.at = new Int32Array(fields);
      places.length = new Int32Array(fields);
    }
    return places;
  }
}
