import type { StringTable } from '../core/string-table.ts';
import type { FlowBatch } from './flow-batch.ts';
import type { Names } from './names.ts';

type Fresh = { [K in keyof Names as Names[K] extends StringTable ? K : never]: string[] };

/** Tells another thread which texts stand behind the ids of this thread's names. */
export class NameFeed {
  readonly #names: Names;
  #sent = { layers: 0, names: 0, exporters: 0 };

  constructor(names: Names) {
    this.#names = names;
  }

  /** What is new since the last call, for `NameMap.learn`; null when nothing is. */
  fresh(): string | null {
    const { layers, names, exporters } = this.#names;
    const sent = this.#sent;
    if (layers.last === sent.layers && names.last === sent.names && exporters.last === sent.exporters) return null;
    const fresh: Fresh = {
      layers: layers.after(sent.layers),
      names: names.after(sent.names),
      exporters: exporters.after(sent.exporters),
    };
    this.#sent = { layers: layers.last, names: names.last, exporters: exporters.last };
    return JSON.stringify(fresh);
  }
}

/** Turns the ids of another thread's rows into this thread's. Ids are dense, so that a map is an array a table. */
export class NameMap {
  readonly #names: Names;
  readonly #layers = [0];
  readonly #texts = [0];
  readonly #exporters = [0];

  constructor(names: Names) {
    this.#names = names;
  }

  learn(fresh: string): void {
    const { layers, names, exporters } = JSON.parse(fresh) as Fresh;
    for (const text of layers) this.#layers.push(this.#names.layers.intern(text));
    for (const text of names) this.#texts.push(this.#names.names.intern(text));
    for (const text of exporters) this.#exporters.push(this.#names.exporters.intern(text));
  }

  translate(batch: FlowBatch): void {
    translate(batch.layers, batch.length, this.#layers);
    translate(batch.dnsName, batch.length, this.#texts);
    translate(batch.sni, batch.length, this.#texts);
    translate(batch.exporter, batch.length, this.#exporters);
  }
}

function translate(ids: Int32Array, length: number, to: number[]): void {
  for (let row = 0; row < length; row++) ids[row] = to[ids[row]];
}
