import type { Pane } from '../pane.ts';

/**
 * What a pair is known by beyond its pane: its own hash, which covers key and tuple, and the hash of its key; 64 bits
 * together.
 */
export function printOf(pane: Pane, pair: number, row: number): { low: number; high: number } {
  const { table } = pane.pairs[pair];
  return { low: table.hash(row), high: pane.keys.hash(table.words[2 * row * table.stride + 1]) };
}
