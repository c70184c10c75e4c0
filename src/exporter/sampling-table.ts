import { inPrefix, type Prefix, parseAddress, parsePrefix } from '../model/address.ts';

/** Configured N of 1:N by exporter: the longest prefix wins, 0 where none has the exporter. */
export function samplingTable(configured: Readonly<Record<string, number>>): (address: string) => number {
  const table: { prefix: Prefix; rate: number }[] = [];
  for (const [text, rate] of Object.entries(configured)) {
    const prefix = parsePrefix(text);
    if (prefix !== null) table.push({ prefix, rate });
  }
  table.sort((a, b) => b.prefix.bits - a.prefix.bits);
  const words = new Int32Array(4);
  return (address) => {
    if (!parseAddress(address, words)) return 0;
    return table.find(({ prefix }) => inPrefix(prefix, words, 0))?.rate ?? 0;
  };
}
