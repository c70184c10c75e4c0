import { existsSync, readFileSync } from 'node:fs';

/** A truth that only the tool it comes from would give. `key` and `field` are `*` for all. */
export interface Exception {
  tool: string;
  name: string;
  /** As `Total.key`: protocol, then both ends in order. */
  key: string;
  field: string;
  reason: string;
}

/** Beside those that came with the data. */
const OURS: readonly Exception[] = [
  {
    tool: 'arkime',
    name: 'v6',
    key: '58 3ffe:501:4819::42 0 - 3ffe:507:0:1:200:86ff:fe05:80da 0',
    field: 'communityIds',
    reason:
      'an ICMPv6 error is a one-way message: by the specification its endpoints keep their order; Arkime sorts them',
  },
];

/** Exceptions of the data's own list (kind, case, `protocol source port destination port` or `*`, reason) and ours. */
export function readExceptions(path: string): readonly Exception[] {
  if (!existsSync(path)) return OURS;
  const rows = readFileSync(path, 'utf8').trim().split('\n').slice(1);
  return [...OURS, ...rows.map((row) => exceptionOf(row.split('\t')))];
}

function exceptionOf([tool, name, session, reason]: string[]): Exception {
  if (session === '*') return { tool, name, key: '*', field: '*', reason };
  const [protocol, source, sourcePort, destination, destinationPort] = session.split(' ');
  const ends = [`${source} ${sourcePort}`, `${destination} ${destinationPort}`].sort();
  return { tool, name, key: `${protocol} ${ends.join(' - ')}`, field: '*', reason };
}
