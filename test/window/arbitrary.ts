import fc from 'fast-check';
import {
  BIFLOW,
  ESTABLISHED,
  FIRST,
  HAS_IP,
  HAS_PORTS,
  INITIATOR_KNOWN,
  OPENED_BY_DESTINATION,
  UNASKED,
} from '../../src/model/flow-batch.ts';
import type { AggregateMeasure, Predicate, RulePlan } from '../../src/model/plan.ts';
import { ip, measure, plain, plan, prefix, sliding, TRUE, tumbling } from './plans.ts';
import { BASE_US, type Slice, slice } from './rows.ts';

/** Random rules and slices that have much to do with each other. */
const addresses = fc.constantFrom(
  '192.0.2.1',
  '192.0.2.7',
  '192.0.3.9',
  '198.51.100.1',
  '2001:db8::1',
  '2001:db8:0:1::2',
);
const ports = fc.constantFrom(22, 53, 80, 443, 40000);
const meta = fc
  .tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean(), fc.integer({ min: 0, max: 3 }))
  .map(([first, established, biflow, withPorts, kind]) => {
    let bits = HAS_IP | (withPorts ? HAS_PORTS : 0) | (first ? FIRST : 0) | (established ? ESTABLISHED : 0);
    if (biflow || kind > 0) bits |= BIFLOW | INITIATOR_KNOWN;
    if (kind === 3) bits |= UNASKED | OPENED_BY_DESTINATION;
    return bits;
  });
const small = fc.integer({ min: 0, max: 9 });
export const slices: fc.Arbitrary<Slice[]> = fc.array(
  fc
    .record({
      at: fc.integer({ min: 0, max: 60_000 }),
      lasts: fc.constantFrom(0, 0, 0, 700_000, 9_000_000),
      src: addresses,
      dst: addresses,
      sport: ports,
      dport: ports,
      proto: fc.constantFrom(6, 6, 17, 1),
      packets: small,
      reversePackets: small,
      flags: fc.constantFrom(0, 2, 16, 18, 24),
      reverseFlags: fc.constantFrom(0, 2, 4, 18, 20),
      meta,
      sampling: fc.constantFrom(1, 1, 1, 10),
      dnsName: fc.constantFrom('', 'a.example.com', 'b.example.com', 'longer.example.org'),
      inIf: fc.constantFrom(-1, 3),
      outIf: fc.constantFrom(-1, 4),
    })
    .map(({ at, lasts, ...rest }) => {
      const startUs = BASE_US + at * 1000;
      const scale = rest.sampling;
      const packets = rest.packets * scale;
      const reversePackets = (rest.meta & BIFLOW) !== 0 ? rest.reversePackets * scale : 0;
      const bytes = 61 * packets + (packets > 3 ? 700 : 0);
      return slice({
        ...rest,
        startUs,
        endUs: startUs + lasts,
        packets,
        bytes,
        reversePackets,
        reverseBytes: 90 * reversePackets,
      });
    }),
  { minLength: 1, maxLength: 120 },
);

const net: Predicate = { op: 'net', field: 'dst.ip', nets: [prefix('192.0.2.0/24'), prefix('2001:db8::/48')] };
export const conditions = fc.constantFrom<Predicate>(
  TRUE,
  net,
  { op: 'and', args: [net, { op: 'not', arg: { op: 'net', field: 'src.ip', nets: [prefix('192.0.2.0/23')] } }] },
  { op: 'compare', field: 'proto', cmp: '==', value: 6 },
  { op: 'flags', field: 'flags', mask: 18, value: 2 },
  { op: 'not', arg: { op: 'flags', field: 'flags', mask: 16, value: 0 } },
  { op: 'in', field: 'dst.port', values: [22, 443], ranges: [[30000, 50000]] },
  { op: 'in', field: 'src.port', values: [1, 2, 3, 53, 80], ranges: [[22, 22]] },
  {
    op: 'or',
    args: [
      { op: 'is', field: 'established' },
      { op: 'compare', field: 'bpp', cmp: '>', value: 100 },
    ],
  },
  { op: 'text', field: 'dns.name', test: 'suffix', values: ['example.com'] },
  { op: 'compare', field: 'in_if', cmp: '!=', value: 3 },
  {
    op: 'and',
    args: [
      { op: 'is', field: 'initiator' },
      { op: 'is', field: 'first' },
    ],
  },
);
export const keys = fc.constantFrom<RulePlan['by']>(
  [],
  [ip('dst.ip')],
  [ip('src.ip')],
  [ip('dst.ip', 24, 64)],
  [ip('src.ip'), ip('dst.ip')],
  [ip('dst.ip', 24, 64), plain('src.port')],
  [plain('proto')],
  [plain('in_if')],
  [plain('dns.name')],
);
export const windows = fc.constantFrom(
  tumbling(5),
  tumbling(10),
  sliding(10, 5),
  sliding(30, 10),
  sliding(15, 10),
  sliding(6, 1),
);
const SCAN = { t0: 0.8, t1: 0.2, a: 1e-5, b: 0.99, keep: 3600e6 };
export const measures = fc.constantFrom<AggregateMeasure>(
  measure('m', 'rate', { summand: 'bits' }),
  measure('m', 'sum', { summand: 'bytes' }),
  measure('m', 'sum', { summand: 'bpp' }),
  measure('m', 'count', { summand: 'flows' }),
  measure('m', 'count', { summand: 'rows' }),
  measure('m', 'count', { summand: 'bpp' }),
  measure('m', 'avg', { summand: 'bpp' }),
  measure('m', 'min', { summand: 'bpp' }),
  measure('m', 'max', { summand: 'reverse.packets' }),
  measure('m', 'share', { summand: 'flows' }),
  measure('m', 'share', { summand: 'packets' }),
  measure('m', 'distinct', { of: [ip('src.ip')] }),
  measure('m', 'distinct', { of: [ip('dst.ip', 24, 64), plain('dst.port')] }),
  measure('m', 'entropy', { of: [ip('src.ip')], params: { normalised: 0 } }),
  measure('m', 'entropy', { of: [plain('dst.port')], summand: 'bytes', params: { normalised: 1 } }),
  measure('m', 'topk', { of: [plain('src.port')], params: { k: 2 } }),
  measure('m', 'quantile', { summand: 'bytes', params: { q: 0.5 } }),
  measure('m', 'quantile', { summand: 'packets', params: { q: 0.95 } }),
  measure('m', 'scan', { of: [ip('dst.ip'), plain('dst.port')], params: SCAN }),
  measure('m', 'first_seen', { of: [ip('src.ip')], params: { learn: 0, keep: 1e12 } }),
);
export const rules = fc
  .tuple(conditions, keys, windows, fc.array(fc.tuple(measures, conditions), { minLength: 1, maxLength: 4 }))
  .map(([match, by, window, some]) => {
    const named = some.map(([each, where], i) => ({ ...each, where, name: `m${i}` }));
    return plan({ match, by, window, measures: named });
  });
