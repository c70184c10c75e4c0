import { type LogFormat, LogReader, logKindOf } from '../../src/log/log.ts';
import { createFlowBatch } from '../../src/model/flow-batch.ts';
import type { FlowObject } from '../../src/model/flow-fields.ts';
import { FlowFormatter } from '../../src/model/flow-json.ts';
import { Names } from '../../src/model/names.ts';

/** A stream of given bytes, `piece` at a time. */
export function bytesStream(bytes: Uint8Array, piece = 1 << 16) {
  let at = 0;
  return {
    bytesRead: 0,
    bytesTotal: bytes.length,
    error: null,
    read(buffer: Uint8Array, from: number): number {
      const part = bytes.subarray(at, at + Math.min(piece, buffer.length - from));
      buffer.set(part, from);
      at += part.length;
      return part.length;
    },
    close() {},
  };
}

export interface Read {
  flows: FlowObject[];
  reader: LogReader;
}

/** All rows of a log, as `weir flows --json` has them. */
export async function readLog(
  text: string | Uint8Array,
  options: { format?: LogFormat; piece?: number } = {},
): Promise<Read> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const format = options.format ?? logKindOf(bytes.subarray(0, 65_536));
  if (format === null) throw new Error('no log');
  const names = new Names();
  const reader = new LogReader('log', bytesStream(bytes, options.piece), format, { names });
  const batch = createFlowBatch(64);
  const format_ = new FlowFormatter(names);
  const flows: FlowObject[] = [];
  while (await reader.read(batch)) for (let n = 0; n < batch.length; n++) flows.push(format_.object(batch, n));
  return { flows, reader };
}
