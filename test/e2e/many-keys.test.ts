import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { floodOfKeys } from '../support/key-flood.ts';
import { TARGET } from '../support/key-stream.ts';

/** `npm run test:keys` does the same with five million keys, all rules, and an eye on memory. */
const RULE = resolve(import.meta.dirname, '../../rules/syn-flood.yaml');
const COMMON = resolve(import.meta.dirname, '../../rules/_common.yaml');
const KEYS = 300_000;
const MAX_FLOWS = 1 << 12;

test('more keys than the flow table holds: evictions are counted, packets and bytes add up, the rule fires', () => {
  const outcome = floodOfKeys(KEYS, { maxFlows: MAX_FLOWS, rules: [COMMON, RULE] });
  const { stream, packets, wireBytes, ipBytes } = outcome;
  expect({ packets, wireBytes, ipBytes }).toEqual({
    packets: stream.packets,
    wireBytes: stream.wireBytes,
    ipBytes: stream.ipBytes,
  });
  expect(outcome.records).toBe(KEYS);
  expect(outcome.evicted).toBeGreaterThan(KEYS / 2);
  const firing = outcome.transitions.filter(({ rule, state }) => rule === 'syn-flood' && state === 'firing');
  expect(firing.map(({ key }) => key)).toEqual([{ 'dst.ip': TARGET }]);
});
