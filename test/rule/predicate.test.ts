import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePrefix } from '../../src/model/address.ts';
import { FIELDS } from '../../src/model/field.ts';
import type { Comparison, Predicate } from '../../src/model/plan.ts';
import { formatPredicate, parsePredicate } from '../../src/rule/rule.ts';
import { and, not, or } from '../../src/rule/simplify.ts';

const good = (text: string): Predicate => {
  const { predicate, findings } = parsePredicate(text, { macros: { web: 'tcp and dst port in (80, 443)' } });
  expect(findings).toEqual([]);
  return predicate;
};
const bad = (text: string) => {
  const { findings } = parsePredicate(text);
  expect(findings.length).toBeGreaterThan(0);
  return findings[0];
};
const net = (field: string, ...texts: string[]): Predicate => ({
  op: 'net',
  field,
  nets: texts.map((text) => parsePrefix(text)!),
});
const numbers = (field: string, ...values: number[]): Predicate => ({ op: 'in', field, values, ranges: [] });

describe('the words of pcap-filter and nfdump', () => {
  test.each<[string, Predicate]>([
    ['tcp', numbers('proto', 6)],
    ['proto tcp', numbers('proto', 6)],
    ['icmp', numbers('proto', 1, 58)],
    ['proto 47', numbers('proto', 47)],
    ['src net 10.0.0.0/8', net('src.ip', '10.0.0.0/8')],
    ['src.ip = 10.0.0.1', net('src.ip', '10.0.0.1')],
    ['dst ip in (10.0.0.0/8, 2001:db8::/32)', net('dst.ip', '10.0.0.0/8', '2001:db8::/32')],
    ['host 192.0.2.7', { op: 'or', args: [net('src.ip', '192.0.2.7'), net('dst.ip', '192.0.2.7')] }],
    ['inner dst net 10.0.0.0/8', net('inner.dst.ip', '10.0.0.0/8')],
    ['outer.src.ip = 192.0.2.1', net('outer.src.ip', '192.0.2.1')],
    ['src 192.0.2.7', net('src.ip', '192.0.2.7')],
    ['port 53', { op: 'or', args: [numbers('src.port', 53), numbers('dst.port', 53)] }],
    ['dst port ssh', numbers('dst.port', 22)],
    ['dst port in (22, 1000-2000)', { op: 'in', field: 'dst.port', values: [22], ranges: [[1000, 2000]] }],
    ['bytes > 20k', { op: 'compare', field: 'bytes', cmp: '>', value: 20000 }],
    ['bytes >= 64KiB', { op: 'compare', field: 'bytes', cmp: '>=', value: 65536 }],
    ['bpp > 200', { op: 'compare', field: 'bpp', cmp: '>', value: 200 }],
    ['duration > 5s', { op: 'compare', field: 'duration', cmp: '>', value: 5e6 }],
    ['vlan 7', numbers('vlan', 7)],
    ['in_if 2', numbers('in_if', 2)],
    ['icmp type 8', numbers('icmp.type', 8)],
    ['icmp code 3', numbers('icmp.code', 3)],
    ['dns name "Example.NET"', { op: 'text', field: 'dns.name', test: 'equals', values: ['example.net'] }],
    ['dns name endswith ".x"', { op: 'text', field: 'dns.name', test: 'suffix', values: ['.x'] }],
    ['tls sni contains "bank"', { op: 'text', field: 'tls.sni', test: 'contains', values: ['bank'] }],
    ['src mac 02:00:00:00:00:01', { op: 'mac', field: 'src.mac', values: [0x020000000001] }],
    ['established', { op: 'is', field: 'established' }],
    ['not unasked', { op: 'not', arg: { op: 'is', field: 'unasked' } }],
    ['$web', and([numbers('proto', 6), numbers('dst.port', 80, 443)])],
    ['tcp dst port 80', and([numbers('proto', 6), numbers('dst.port', 80)])],
    ['tcp && !(udp || arp)', and([numbers('proto', 6), not(or([numbers('proto', 17), { op: 'is', field: 'arp' }]))])],
  ])('%s', (text, predicate) => {
    expect(good(text)).toEqual(predicate);
  });

  test('and binds tighter than or, not tighter than both', () => {
    expect(good('tcp and first or not udp')).toEqual(
      or([and([numbers('proto', 6), { op: 'is', field: 'first' }]), not(numbers('proto', 17))]),
    );
  });
});

describe('TCP flags', () => {
  test.each<[string, number, number]>([
    ['flags S', 0x02, 0x02],
    ['flags SA', 0x12, 0x12],
    ['not flags A', 0x10, 0],
    ['flags S and not flags A', 0x12, 0x02],
    ['flags S and not flags A and not flags R', 0x16, 0x02],
    ['flags = S', 0xff, 0x02],
    ['flags =S', 0xff, 0x02],
    ['flags none', 0xff, 0],
  ])('%s is one mask test', (text, mask, value) => {
    expect(good(text)).toEqual({ op: 'flags', field: 'flags', mask, value });
  });

  test('flags that exclude each other fit no row', () => {
    expect(good('flags S and not flags S')).toEqual({ op: 'not', arg: { op: 'true' } });
  });
});

describe('errors point into the text and say what was meant', () => {
  test.each<[string, number, string, string | undefined]>([
    ['tcp and flgs S', 9, 'rule.unknown_field', 'did you mean flags?'],
    ['protoo tcp', 1, 'rule.unknown_field', 'did you mean proto?'],
    ['src net $hom', 9, 'rule.unknown_name', 'did you mean $home?'],
    ['$home', 1, 'rule.unknown_name', '$home is a net: write dst net $home'],
    ['bytes > 5s', 9, 'rule.unit', 'did you mean 5B?'],
    ['flags X', 7, 'rule.flags', 'letters of FSRPAUEC, or none'],
    ['dst port 99999', 10, 'rule.value', undefined],
    ['dst port htpp', 10, 'rule.value', 'did you mean http?'],
    ['src ip 300.1.1.1', 8, 'rule.address', undefined],
    ['proto tpc', 7, 'rule.value', 'did you mean tcp?'],
    ['tcp udp', 5, 'rule.unknown_field', undefined],
    ['tcp and', 8, 'rule.syntax', undefined],
    ['(tcp', 5, 'rule.syntax', undefined],
    ['tcp[13]', 4, 'rule.syntax', undefined],
    ['established 5', 1, 'rule.type', undefined],
    ['dns name likes "x"', 10, 'rule.syntax', undefined],
    ['dst port 20-10', 10, 'rule.range', undefined],
  ])('%s', (text, column, code, hint) => {
    const finding = bad(text);
    if (code !== 'rule.unknown_field' || hint) expect({ ...finding }).toMatchObject({ column, code });
    if (hint) expect(finding.hint).toBe(hint);
  });

  test('several at once', () => {
    const { findings } = parsePredicate('flgs S and bytes > 5s and src net $nowhere');
    expect(findings.map(({ column }) => column)).toEqual([1, 20, 35]);
  });

  test('host bits are a warning', () => {
    const { findings, predicate } = parsePredicate('src net 10.1.0.0/8');
    expect(findings).toMatchObject([{ level: 'warning', hint: 'did you mean 10.0.0.0/8?' }]);
    expect(predicate).toEqual(net('src.ip', '10.0.0.0/8'));
  });

  test('macros that use each other', () => {
    const { findings } = parsePredicate('$a', { macros: { a: 'tcp and $b', b: 'not $a' } });
    expect(findings.map(({ code }) => code)).toContain('rule.macro_loop');
  });

  test.each([
    '('.repeat(5000),
    'not '.repeat(5000),
    `${'not ('.repeat(300)}tcp`,
    `tcp ${'or tcp '.repeat(5000)}`,
    '\u0000',
    '"',
  ])('hostile text ends in findings, never in a throw', (text) => {
    expect(parsePredicate(text).findings.length).toBeGreaterThan(0);
  });
});

describe('text and predicate are one', () => {
  const names = (type: string) => Object.keys(FIELDS).filter((name) => FIELDS[name].type === type);
  const plainNumbers = names('number').filter((name) => FIELDS[name].unit !== 'time' && name !== 'proto');
  const address = fc
    .tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 32 }))
    .map(([word, bits]) => {
      const parts = [24, 16, 8, 0].map((shift) => (word >>> shift) & 255);
      return parsePrefix(`${parts.join('.')}/${bits}`)!;
    });
  const leaf: fc.Arbitrary<Predicate> = fc.oneof(
    fc.record({
      op: fc.constant('net' as const),
      field: fc.constantFrom(...names('ip')),
      nets: fc.array(address, { minLength: 1, maxLength: 3 }),
    }),
    fc
      .uniqueArray(fc.integer({ min: 0, max: 65535 }), { minLength: 1, maxLength: 4 })
      .map((values) => values.sort((a, b) => a - b))
      .chain((values) =>
        fc.constantFrom(...plainNumbers).map((field) => ({ op: 'in' as const, field, values, ranges: [] })),
      ),
    fc.record({
      op: fc.constant('compare' as const),
      field: fc.constantFrom(...plainNumbers),
      cmp: fc.constantFrom<Comparison>('>', '>=', '<', '<='),
      value: fc.integer({ min: 0, max: 65535 }),
    }),
    fc.tuple(fc.integer({ min: 1, max: 255 }), fc.integer({ min: 0, max: 255 })).map(([mask, value]) => ({
      op: 'flags' as const,
      field: 'flags',
      mask,
      value: value & mask,
    })),
    fc.constantFrom(...names('bool')).map((field) => ({ op: 'is' as const, field })),
    fc.record({
      op: fc.constant('text' as const),
      field: fc.constantFrom(...names('text')),
      test: fc.constantFrom('equals' as const, 'prefix' as const, 'suffix' as const, 'contains' as const),
      values: fc.array(fc.stringMatching(/^[a-z0-9.-]{1,12}$/), { minLength: 1, maxLength: 3 }),
    }),
  );
  const tree = fc.letrec<{ node: Predicate }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map(and),
      fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map(or),
      tie('node').map(not),
    ),
  })).node;

  test('formatPredicate is read back as it was', () => {
    fc.assert(
      fc.property(tree, (predicate) => {
        const text = formatPredicate(predicate);
        const again = parsePredicate(text);
        expect(again.findings.filter(({ level }) => level === undefined)).toEqual([]);
        expect(formatPredicate(again.predicate)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test('any text ends in a predicate and findings', () => {
    const word = fc.constantFrom(
      'tcp',
      'and',
      'or',
      'not',
      '(',
      ')',
      'src',
      'net',
      '$home',
      '10.0.0.0/8',
      'flags',
      'S',
      '>',
      '5k',
      'in',
      ',',
      '"x"',
      'port',
      '::1',
      '-',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 60 }),
          fc.array(word, { maxLength: 12 }).map((words) => words.join(' ')),
        ),
        (text) => {
          const { findings } = parsePredicate(text);
          for (const { column } of findings) expect(column).toBeGreaterThanOrEqual(1);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
