/** What a file that is no pcap may be, by its first bytes (hex): so that the error says what to do. */
const FORMATS: readonly (readonly [magic: string, name: string])[] = [
  ['736e6f6f70000000', 'a snoop capture'],
  ['6274736e6f6f7000', 'a btsnoop capture'],
  ['474d4255', 'a Network Monitor capture'],
  ['52545353', 'a Network Monitor 1 capture'],
  ['58435000', 'a NetXRay capture'],
  ['5452534e49464620', 'a Sniffer capture'],
  ['04224d18', 'compressed with lz4'],
  ['425a68', 'compressed with bzip2'],
  ['fd377a585a00', 'compressed with xz'],
  ['504b0304', 'a zip archive'],
];

/** `a snoop capture`; null when the bytes say nothing. */
export function otherFormat(head: Uint8Array): string | null {
  const hex = Buffer.from(head.buffer, head.byteOffset, Math.min(16, head.length)).toString('hex');
  return FORMATS.find(([magic]) => hex.startsWith(magic))?.[1] ?? null;
}
