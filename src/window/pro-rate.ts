import { FIRST } from '../model/flow-batch.ts';
import { CHUNK, type Chunk } from './chunk.ts';

/**
 * The piece of a long record that lies in one pane, as a row of its own behind the chunk's slices. Packets and bytes
 * spread evenly between start and end and are cut so that the pieces are whole numbers and add up to the record. The
 * flow counts where it starts.
 * @returns the row number of the piece; it stands until the next one
 */
export function pieceOf(chunk: Chunk, row: number, paneStartUs: number, paneUs: number, isFirst: boolean): number {
  const from = row >> 1;
  const to = CHUNK;
  chunk.copySlice(to, from);
  const startUs = chunk.startUs[from];
  const lasted = chunk.endUs[from] - startUs;
  const before = isFirst ? 0 : paneStartUs - startUs;
  const after = Math.min(lasted, paneStartUs + paneUs - startUs);
  for (const column of [chunk.packets, chunk.bytes]) {
    for (let d = 0; d < 2; d++) {
      const total = column[2 * from + d];
      column[2 * to + d] = Math.round((total * after) / lasted) - Math.round((total * before) / lasted);
    }
  }
  if (!isFirst) {
    chunk.startUs[to] = paneStartUs;
    chunk.endUs[to] = paneStartUs + lasted;
    chunk.meta[to] &= ~FIRST;
  }
  return 2 * to + (row & 1);
}
