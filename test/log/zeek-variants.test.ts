import { describe, expect, it } from 'vitest';
import { logKindOf } from '../../src/log/log.ts';
import { readLog } from './read.ts';

/** One connection log in the forms in which programs hand it on; each has to give the same four flows. */
const FIELDS =
  'ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents'.split(
    ' ',
  );
const ROWS = [
  '1525879831.015811 CUmrqr4svHuSXJy5z7 192.168.100.103 51524 65.127.233.163 23 tcp - 2.999051 0 0 S0 - - 0 S 3 180 0 0 (empty)',
  '1525879832.500000 CUmrqr4svHuSXJy5z8 192.168.100.103 123 89.221.214.130 123 udp ntp 0.002000 48 48 SF - - 0 Dd 1 76 1 76 -',
  '1525879833.000000 CUmrqr4svHuSXJy5z9 192.168.100.103 8 1.1.1.1 0 icmp - - - - OTH - - 0 - 1 84 0 0 -',
  '1525879834.100000 CUmrqr4svHuSXJy5za fe80::1 51524 2001:db8::1 80 tcp http 1e-06 10 20 SF T F 0 ShADadFf 5 300 4 500 -',
].map((row) => row.split(' '));
const HEAD = ['#separator \\x09', '#set_separator\t,', '#empty_field\t(empty)', '#unset_field\t-', '#path\tconn'];
const NUMBERS = /^(ts|duration|id\..*_p|.*(pkts|bytes))$/;

const text = (lines: string[], end = '\n'): string => lines.map((line) => line + end).join('');
const tsv = (fields = FIELDS.join('\t'), tail = ''): string[] => [
  ...HEAD,
  `#fields\t${fields}`,
  ...ROWS.map((row) => row.join('\t') + tail),
];
const table = (separator: string, rename = (name: string): string => name): string =>
  text([FIELDS.map(rename), ...ROWS].map((row, n) => [...row, n === 0 ? 'label' : 'Malicious   C&C'].join(separator)));
function objects(change: (name: string, value: string) => [string, unknown] | null): object[] {
  return ROWS.map((row) =>
    Object.fromEntries(row.flatMap((value, k) => [change(FIELDS[k], value)].filter((x) => !!x))),
  );
}
const plain = (name: string, value: string): [string, unknown] | null =>
  value === '-' || value === '(empty)' ? null : [name, NUMBERS.test(name) ? Number(value) : value];
const json = (rows: object[]): string => text(rows.map((row) => JSON.stringify(row)));

const FORMS: Record<string, string> = {
  'labels behind blanks in the last column': text([
    ...tsv(`${FIELDS.join('\t')}   label   detailed-label`, '   Malicious   PartOfAHorizontalPortScan'),
    '#close\t2019-03-15-14-50-51',
  ]),
  'CR LF': text(tsv(), '\r\n'),
  'a byte order mark': `\ufeff${text(tsv())}`,
  'a column more than the header names': text(tsv(undefined, '\tbenign')),
  'only #fields': text(tsv().slice(HEAD.length)),
  'blanks where the tabs were': text([`#fields ${FIELDS.join(' ')}`, ...ROWS.map((row) => row.join(' '))]),
  'no header': text(ROWS.map((row) => row.join('\t'))),
  'commas and names': table(','),
  'bars and names': table('|'),
  'tabs and names': table('\t'),
  'names without dots': table(',', (name) => name.replace('.', '_')),
  'an index and NaN': text(
    [FIELDS, ...ROWS].map(
      (row, n) => `${n || ''},${row.map((value) => value.replace(/^(-|\(empty\))$/, '')).join(',')}`,
    ),
  ).replaceAll(',,', ',NaN,'),
  'JSON lines': json(objects(plain)),
  'a JSON list': JSON.stringify(objects(plain), null, 2),
  'JSON with texts only': json(objects((name, value) => (plain(name, value) === null ? null : [name, value]))),
  'JSON with dashes': json(objects((name, value) => [name, value])),
  'JSON with null and other fields': json(
    objects((name, value) => plain(name, value) ?? [name, null]).map((row) => ({ ...row, label: ['a', { b: '}' }] })),
  ),
  'JSON with times in ISO 8601': json(
    objects((name, value) => {
      if (name !== 'ts') return plain(name, value);
      const [seconds, fraction] = value.split('.');
      return [name, `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${fraction}Z`];
    }).map((row) => ({ _path: 'conn', _write_ts: '2018-05-09T15:31:00.000000Z', ...row })),
  ),
  'JSON with names without dots': json(
    objects((name, value) => {
      const found = plain(name, value);
      return found && [found[0].replace('.', '_'), found[1]];
    }),
  ),
};

describe('conn.log in other forms', async () => {
  const { flows: expected } = await readLog(text(tsv()));

  it('as Zeek writes it: four flows', () => {
    expect(expected.map(({ packetDeltaCount }) => packetDeltaCount)).toEqual([3, 1, 1, 5]);
    expect(expected[0]).toMatchObject({
      flowStart: '2018-05-09T15:30:31.015811Z',
      flowEnd: '2018-05-09T15:30:34.014862Z',
      tcpControlBits: 2,
    });
    expect(expected[2]).toMatchObject({ icmpType: 8, icmpCode: 0 });
  });

  it.each(Object.keys(FORMS))('%s', async (name) => {
    const form = FORMS[name];
    for (const piece of [64, 1 << 16]) {
      const { flows, reader } = await readLog(form, { piece });
      expect(reader.error).toBeNull();
      expect(flows).toEqual(expected);
    }
    expect(logKindOf(Buffer.from(form))).toMatch(/^zeek/);
  });

  it('columns that change within a file', async () => {
    const short = ROWS.map((row) => [row[0], row[2], row[4], row[16], 'x'].join('\t'));
    const { flows, reader } = await readLog(
      text([...tsv(), '#close\tx', '#fields\tts\tid.orig_h\tid.resp_h\torig_pkts\tlabel', ...short]),
    );
    expect(reader.error).toBeNull();
    expect(flows.slice(0, 4)).toEqual(expected);
    expect(flows.slice(4).map(({ packetDeltaCount }) => packetDeltaCount)).toEqual([3, 1, 1, 5]);
    expect(flows[4]).not.toHaveProperty('octetDeltaCount');
  });

  it('tables one behind the other: a header again is no row', async () => {
    const { flows, reader } = await readLog(table(',') + table(','));
    expect(reader.error).toBeNull();
    expect(flows).toEqual([...expected, ...expected]);
  });
});
