import type { StateReader, StateWriter } from '../core/state.ts';
import { createFlowBatch, type FlowBatch } from '../model/flow-batch.ts';

/** What a collector goes on from: what each of its threads knew and had waiting, and rows that were on their way. */
export interface TakingState {
  parts: Uint8Array[];
  rows: FlowBatch[];
}

export function saveTaking(out: StateWriter, { parts, rows }: TakingState): void {
  out.number(parts.length);
  for (const part of parts) out.bytes(part);
  out.number(rows.length);
  for (const batch of rows) {
    out.number(batch.length);
    batch.save(out);
  }
}

export function restoreTaking(state: StateReader): TakingState {
  const parts: Uint8Array[] = [];
  const rows: FlowBatch[] = [];
  for (let n = state.number(); n > 0; n--) parts.push(state.bytes().slice());
  for (let n = state.number(); n > 0; n--) {
    const batch = createFlowBatch(state.number());
    batch.restore(state);
    rows.push(batch);
  }
  return { parts, rows };
}
