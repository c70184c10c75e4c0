import { describe, expect, it } from 'vitest';
import { BIFLOW, FIRST, HAS_IP, HAS_OUTER, HAS_PORTS } from '../../src/model/flow-batch.ts';
import { ip, measure, plain, plan, sliding, tumbling } from './plans.ts';
import { BASE_US, batchOf, slice } from './rows.ts';
import { run } from './run.ts';

const S = 1e6;
const at = (seconds: number): number => BASE_US + seconds * S;
const v4 = (n: number): string => `${(n >>> 24) & 255}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;

describe('time', () => {
  it('closes windows in the order (end, rule), when the watermark reaches the end and not before', () => {
    const rules = [plan({ id: 'a', window: tumbling(10) }), plan({ id: 'b', window: sliding(10, 5) })];
    const { stage, lines } = run([], []);
    expect(lines).toEqual([]);
    stage.advance(1);
    const order: string[] = [];
    const some = run(rules, [slice({ startUs: at(1) }), slice({ startUs: at(12) })]);
    for (const line of some.lines) order.push(`${(line.endUs - BASE_US) / S} ${line.rule}`);
    expect(order).toEqual(['5 b', '10 a', '10 b', '15 b', '20 a', '20 b']);
  });

  it('takes a row at the very watermark, as Flink does: watermark = max - bound, a window closes at end <= watermark', () => {
    const { lines, metrics } = run([plan()], [slice({ startUs: at(11) }), slice({ startUs: at(10) })], {
      cuts: [1],
      boundUs: 1 * S,
    });
    expect(lines.map(({ values }) => values['packets'])).toEqual([2]);
    expect(metrics.snapshot()['weir_late_rows_total']).toBeUndefined();
  });

  it('counts late rows and leaves closed windows alone', () => {
    const { lines, metrics } = run(
      [plan()],
      [slice({ startUs: at(1) }), slice({ startUs: at(30) }), slice({ startUs: at(2) })],
      {
        cuts: [2, 1],
      },
    );
    expect(lines.map(({ values }) => values['packets'])).toEqual([1, 1]);
    expect(metrics.snapshot()['weir_late_rows_total']).toBe(1);
  });

  it('gives out an hour of silence to who wants it while other traffic moves on, and skips the rest', () => {
    const rule = plan({ match: { op: 'compare', field: 'dst.port', cmp: '==', value: 443 } });
    const others = Array.from({ length: 20 }, (_, i) => slice({ startUs: at(1800 * (i + 1)), dport: 80 }));
    const rows = [slice({ startUs: at(0) }), ...others];
    const ends: number[] = [];
    const wantsEmpty = (results: { endUs: number }): boolean => ends.push(results.endUs) > 0;
    run([rule], rows, { wantsEmpty, cuts: [1] });
    expect(ends.map((end) => (end - BASE_US) / S)).toEqual(Array.from({ length: 361 }, (_, i) => 10 * (i + 1)));
    expect(run([rule], rows, { cuts: [1] }).lines.length).toBe(1);
  });

  it('takes a leap of the watermark for missing data, not for silence', () => {
    let windows = 0;
    const wantsEmpty = (): boolean => ++windows > 0;
    run([plan()], [slice({ startUs: at(0) }), slice({ startUs: at(864_000) })], { wantsEmpty, cuts: [1] });
    expect(windows).toBe(2);
  });
});

describe('rows', () => {
  it('gives a row a direction, and the initiator a row in the first slice even without packets', () => {
    const rule = plan({
      by: [ip('src.ip')],
      measures: [measure('packets', 'sum'), measure('flows', 'count', { summand: 'flows' })],
    });
    const answered = slice({ packets: 3, reversePackets: 2, reverseBytes: 100 });
    const silent = slice({ src: '198.51.100.2', packets: 0, reversePackets: 5 });
    const { lines } = run([rule], [answered, silent]);
    expect(lines.map(({ key, values }) => [key, values['packets'], values['flows']])).toEqual([
      ['src.ip=192.0.2.1', 7, 0],
      ['src.ip=198.51.100.1', 3, 1],
      ['src.ip=198.51.100.2', 0, 1],
    ]);
  });

  it('spreads a record over the windows it spans, whole numbers that add up, and counts the flow where it starts', () => {
    const rule = plan({ measures: [measure('packets', 'sum'), measure('flows', 'count', { summand: 'flows' })] });
    const meta = HAS_IP | HAS_PORTS | FIRST;
    const record = slice({ startUs: at(5), endUs: at(35), packets: 100, bytes: 9999, meta });
    const { lines } = run([rule], [record]);
    expect(lines.map(({ values }) => values['packets'])).toEqual([17, 33, 33, 17]);
    expect(lines.map(({ values }) => values['flows'])).toEqual([1, 0, 0, 0]);
  });

  it('keeps a slice of packets where it starts', () => {
    const meta = HAS_IP | HAS_PORTS | FIRST | BIFLOW;
    const { lines } = run([plan()], [slice({ startUs: at(9), endUs: at(10.9), packets: 8, meta })]);
    expect(lines.map(({ values }) => values['packets'])).toEqual([8]);
  });

  it('scales samples back: distinct counts stay, samples are raw', () => {
    const rule = plan({
      measures: [measure('packets', 'sum'), measure('sources', 'distinct', { of: [ip('src.ip')] })],
    });
    const { lines } = run([rule], [slice({ packets: 3000, sampling: 1000 })]);
    expect(lines[0].values).toEqual({ samples: 3, packets: 3000, sources: 1 });
  });

  it('has inner addresses in tunnels only', () => {
    const rule = plan({ by: [ip('inner.dst.ip')] });
    const meta = HAS_IP | HAS_PORTS | FIRST | BIFLOW;
    const { lines } = run([rule], [slice({ meta, packets: 3 }), slice({ meta: meta | HAS_OUTER, packets: 4 })]);
    expect(lines.map(({ key, values }) => [key, values['packets']])).toEqual([['inner.dst.ip=192.0.2.1', 4]]);
  });

  it('honours exceptions until they end', () => {
    const except = [
      {
        name: 'scanner',
        reason: 'CHG-1',
        untilUs: at(10),
        match: { op: 'compare', field: 'src.port', cmp: '==', value: 9 } as const,
      },
    ];
    const rows = [slice({ startUs: at(1), sport: 9 }), slice({ startUs: at(11), sport: 9 })];
    const { lines } = run([plan({ except })], rows);
    expect(lines.map(({ endUs }) => (endUs - BASE_US) / S)).toEqual([20]);
  });
});

describe('sessions', () => {
  const rule = plan({
    by: [ip('src.ip')],
    window: { kind: 'session', sizeUs: 5 * S, slideUs: 5 * S },
    measures: [
      measure('packets', 'sum'),
      measure('last', 'max', { summand: 'packets' }),
      measure('peers', 'distinct', { of: [ip('dst.ip')] }),
    ],
  });

  it('joins rows with no longer gap between them, and gives a session out when it is over', () => {
    const times = [0, 4, 9, 14, 19.5, 30, 31];
    const rows = times.map((t, i) => slice({ startUs: at(t), dst: v4(i), packets: i + 1 }));
    const { lines } = run([rule], rows, { cuts: [1] });
    expect(lines.map(({ values }) => [values['packets'], values['last'], values['peers']])).toEqual([
      [10, 4, 4],
      [5, 5, 1],
      [13, 7, 2],
    ]);
  });

  it('does not depend on the order of rows', () => {
    const rows = Array.from({ length: 40 }, (_, i) => slice({ startUs: at((i * 7) % 60), src: v4(i % 3), packets: i }));
    const ordered = [...rows].sort((a, b) => a.startUs - b.startUs);
    const one = run([rule], ordered, { boundUs: 100 * S }).lines;
    expect(run([rule], rows, { boundUs: 100 * S, cuts: [7], limits: { seed: 3 } }).lines).toEqual(one);
  });
});

describe('bounds', () => {
  it('never loses a heavy key in a flood of random ones, and says what it dropped', () => {
    const rule = plan({ by: [ip('src.ip')], maxKeys: 1000 });
    const rows = Array.from({ length: 60_000 }, (_, i) =>
      i % 60 === 0
        ? slice({ startUs: at(1), src: '203.0.113.5', packets: 2 })
        : slice({ startUs: at(1), src: v4((i * 2_654_435_761) >>> 0), packets: 1 }),
    );
    const { lines, metrics } = run([rule], rows, { cuts: [1024], boundUs: 100 * S });
    expect(lines.length).toBeLessThanOrEqual(1000 + 2048);
    expect(lines.find(({ key }) => key === 'src.ip=203.0.113.5')?.values['packets']).toBe(2000);
    expect(metrics.snapshot()['weir_window_dropped_total{rule="rule",cause="max_keys"}']).toBeGreaterThan(50_000);
  });

  it('drops the same keys wherever batches are cut', () => {
    const rule = plan({
      by: [ip('src.ip')],
      maxKeys: 50,
      measures: [measure('packets', 'sum'), measure('ports', 'distinct', { of: [plain('dst.port')] })],
    });
    const rows = Array.from({ length: 5000 }, (_, i) =>
      slice({ startUs: at(i / 250), src: v4((i * i * 2_654_435_761) % 997), dport: i % 13, packets: 1 + (i % 3) }),
    );
    const whole = run([rule], rows, { boundUs: 100 * S });
    expect(whole.metrics.snapshot()['weir_window_dropped_total{rule="rule",cause="max_keys"}']).toBeGreaterThan(100);
    for (const cuts of [[1], [7, 300, 2, 1000], [64]]) {
      const cut = run([rule], rows, { cuts, boundUs: 100 * S, limits: { seed: cuts.length } });
      expect(cut.lines).toEqual(whole.lines);
      expect(cut.metrics.snapshot()).toEqual(whole.metrics.snapshot());
    }
  });

  it('counts many different values within 1 %, over panes too', () => {
    const sources = measure('sources', 'distinct', { of: [ip('src.ip')] });
    const rule = plan({ window: sliding(10, 5), measures: [sources] });
    const rows = Array.from({ length: 60_000 }, (_, i) =>
      slice({ startUs: at(i < 30_000 ? 1 : 6), src: v4(((i % 45_000) * 2_654_435_761) >>> 0) }),
    );
    const { lines } = run([rule], rows, { cuts: [1000], boundUs: 100 * S });
    const counts = lines.map(({ values }) => values['sources']);
    for (const [i, truth] of [30_000, 45_000, 30_000].entries())
      expect(Math.abs(counts[i] / truth - 1)).toBeLessThan(0.02);
  });

  it('goes over to sketches when pairs run out, and stays close', () => {
    const sources = measure('sources', 'distinct', { of: [ip('src.ip')] });
    const rows = Array.from({ length: 20_000 }, (_, i) => slice({ startUs: at(1), dst: v4(i % 10), src: v4(i) }));
    const { lines } = run([plan({ measures: [sources] })], rows, { cuts: [500], limits: { maxPairs: 4000 } });
    expect(lines.length).toBe(10);
    for (const { values } of lines) expect(Math.abs(values['sources'] / 2000 - 1)).toBeLessThan(0.03);
  });
});

describe('keys and evidence', () => {
  it('sees a rare column that is empty in some batches and filled in others', () => {
    const inside = { op: 'compare', field: 'in_if', cmp: '>=', value: 0 } as const;
    const either = { op: 'or', args: [inside, { op: 'compare', field: 'dst.port', cmp: '==', value: 443 }] } as const;
    const outside = { op: 'not', arg: inside } as const;
    const matches = [inside, { ...either, args: [...either.args] }, outside];
    const rules = matches.map((match, k) => plan({ id: `rule${k}`, match }));
    const rows = [slice({}), slice({ inIf: 3 }), slice({}), slice({ inIf: 0 })];
    const counts = (cuts: number[]): unknown =>
      run(rules, rows, { cuts }).lines.map(({ rule, values }) => [rule, values['packets']]);
    expect(counts([1])).toEqual([
      ['rule0', 2],
      ['rule1', 4],
      ['rule2', 2],
    ]);
    expect(counts([4])).toEqual(counts([1]));
  });

  it('prints keys as people write them, the same whatever came first', () => {
    const rule = plan({ by: [ip('dst.ip', 24, 64), plain('dst.port'), plain('exporter')] });
    const rows = [slice({ exporter: 'edge1', dst: '2001:db8::7' }), slice({ exporter: 'edge1' })];
    expect(run([rule], rows).lines.map(({ key }) => key)).toEqual([
      'dst.ip=192.0.2.0/24,dst.port=443,exporter=edge1',
      'dst.ip=2001:db8::/64,dst.port=443,exporter=edge1',
    ]);
  });

  it('finds what made up an alert: values by weight, then by name, and whole flows', () => {
    const rule = plan({
      evidence: [
        { fn: 'topk', k: 2, of: [ip('src.ip')], summand: 'packets' },
        { fn: 'flows', k: 1 },
      ],
    });
    const rows = ['198.51.100.9', '198.51.100.1', '198.51.100.2'].map((src, i) =>
      slice({ startUs: at(1 + i), src, packets: i === 0 ? 5 : 2, bytes: 100, reversePackets: 1, reverseFlags: 18 }),
    );
    const { stage } = run([rule], [...rows, slice({ startUs: at(40), packets: 900 })]);
    const items = stage.evidence({
      rule,
      ruleIndex: 0,
      key: { 'dst.ip': '192.0.2.1' },
      keyText: 'dst.ip=192.0.2.1',
      startUs: at(0),
      endUs: at(10),
      holds: [],
      clear: false,
      missing: false,
      values: {},
      expected: null,
      raise: null,
    });
    expect(items[0]).toEqual({
      topk: 'src.ip',
      by: 'packets',
      items: [
        { value: '198.51.100.9', amount: 5, share: 0.5556 },
        { value: '198.51.100.1', amount: 2, share: 0.2222 },
      ],
    });
    expect(items[1]).toMatchObject({
      flows: [
        {
          sourceAddress: '198.51.100.9',
          packetDeltaCount: 5,
          tcpControlBits: '.S......',
          reverseTcpControlBits: '.S..A...',
        },
      ],
    });
  });

  it('takes an empty batch', () => {
    const { stage } = run([plan()], []);
    stage.add(batchOf([]));
    stage.advance(Number.POSITIVE_INFINITY);
  });
});
