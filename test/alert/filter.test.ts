import { expect, it } from 'vitest';
import { filterOf } from '../../src/alert/filter.ts';
import { FIELDS } from '../../src/model/field.ts';
import { parsePredicate } from '../../src/rule/rule.ts';
import { ruleOf } from './machine.ts';

const VALUES: Record<string, (string | number)[]> = {
  ip: ['192.0.2.7', '192.0.2.0/24', '2001:db8::1', '2001:db8::/64'],
  number: [6, 0],
  text: ['core-1.example.net', '_dmarc.x.example', 'two words', 'a"b'],
  mac: ['aa:bb:cc:00:11:22'],
};
const KEYS = Object.entries(FIELDS).filter(([, field]) => field.key);

it.each(KEYS)('the filter of a key by %s is one that weir reads', (name, { type }) => {
  for (const value of VALUES[type]) {
    const filter = filterOf(ruleOf({ matchText: 'proto tcp or proto udp' }), { [name]: value });
    const { predicate, findings } = parsePredicate(filter);
    expect(findings).toEqual([]);
    expect(predicate).toMatchObject({ op: 'and', args: [{}, { field: name }] });
  }
});

it('any traffic is named only where the key says nothing', () => {
  expect(filterOf(ruleOf({ matchText: 'any' }), { 'src.port': 53 })).toBe('src port 53');
  expect(filterOf(ruleOf({ matchText: 'any' }), {})).toBe('any');
});
