import type { LineWriter } from '../core/output.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import { FlowFormatter } from '../model/flow-json.ts';
import type { Names } from '../model/names.ts';
import type { FlowOutput } from './flow-output.ts';

/** Bytes of lines that are written together. */
const FLUSH_AT = 1 << 16;

export class JsonOutput implements FlowOutput {
  readonly #out: LineWriter;
  readonly #format: FlowFormatter;
  readonly #flush = (): void => this.end();

  constructor(out: LineWriter, names: Names) {
    this.#out = out;
    this.#format = new FlowFormatter(names);
  }

  write(batch: FlowBatch, file: string | undefined): void {
    this.#format.jsonLines(batch, file, FLUSH_AT, this.#flush);
  }

  end(): void {
    this.#out.bytes(this.#format.takeLines());
  }
}
