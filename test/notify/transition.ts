import type { Transition } from '../../src/model/alert.ts';

/** A transition of alert `alertId`, the `number`th of its episode. */
export function transitionOf(alertId: string, number: number, changes: Partial<Transition> = {}): Transition {
  return {
    rule: 'syn-flood',
    severity: 'critical',
    state: number === 0 ? 'firing' : 'resolved',
    time: '2026-11-24T03:15:20.000000Z',
    window: { start: '2026-11-24T03:15:10.000000Z', end: '2026-11-24T03:15:20.000000Z' },
    key: { 'dst.ip': '192.0.2.7' },
    values: { pps: 45_210, srcs: 8112, est: 0.021 },
    expected: null,
    summary: 'TCP SYN flood: dst.ip 192.0.2.7: pps 45.2 kpps > 20.0 kpps, est 2.1% < 20%; srcs 8,112',
    evidence: [
      {
        topk: 'src.ip',
        by: 'packets',
        items: [
          { value: '198.51.100.7', amount: 181_000, share: 0.4 },
          { value: '2001:db8:85a3:1234:5678:8a2e:370:7334', amount: 90_400, share: 0.2 },
          { value: '203.0.113.250', amount: 18_100, share: 0.04 },
        ],
      },
    ],
    tags: ['attack.t1498.001'],
    idempotencyKey: `${alertId}-${number}`,
    alertId,
    title: 'TCP SYN flood',
    filter: 'dst net 192.0.2.0/24 and proto tcp and dst ip 192.0.2.7',
    advice: 'Turn on SYN cookies at 192.0.2.7 and rate-limit SYN at the edge.',
    since: '2026-11-24T03:15:10.000000Z',
    measured: [
      { name: 'pps', text: '45.2 kpps', limit: '> 20.0 kpps', expected: '1.20 kpps' },
      { name: 'est', text: '2.1%', limit: '< 20%', expected: null },
      { name: 'srcs', text: '8,112', limit: null, expected: null },
    ],
    ...changes,
  };
}
