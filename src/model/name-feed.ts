import type { StringTable } from '../core/string-table.ts';
import type { FlowBatch } from './flow-batch.ts';
import type { Names } from './names.ts';
import { DNS_NAME, LAYERS, type PacketRows, ROW, SNI } from './packet-rows.ts';

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

/** Turns the ids of another thread's rows into this thread's. */
export class NameMap {
  readonly #names: Names;
  readonly #layers: IdMap;
  readonly #texts: IdMap;
  readonly #exporters: IdMap;

  /** @param share what the other thread's names were made with */
  constructor(names: Names, share = 1) {
    this.#names = names;
    this.#layers = new IdMap(names.layers.capacity / share);
    this.#texts = new IdMap(names.names.capacity / share);
    this.#exporters = new IdMap(names.exporters.capacity / share);
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

  translateRows({ words, length }: PacketRows): void {
    const layers = this.#layers;
    const texts = this.#texts;
    for (let at = 0; at < length * ROW; at += ROW) {
      words[at + LAYERS] = layers.of(words[at + LAYERS]);
      words[at + DNS_NAME] = texts.of(words[at + DNS_NAME]);
      words[at + SNI] = texts.of(words[at + SNI]);
    }
  }
}

function translate(ids: Int32Array, length: number, map: IdMap): void {
  for (let row = 0; row < length; row++) ids[row] = map.of(ids[row]);
}

/** Ids are dense and as many as the other thread's table holds are valid: an array with that much room is a map. */
class IdMap {
  readonly #capacity: number;
  readonly #ids: number[] = [0];
  #next = 1;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(id: number): void {
    this.#ids[this.#next++ % this.#capacity] = id;
  }

  of(id: number): number {
    return id === 0 ? 0 : this.#ids[id % this.#capacity];
  }
}
