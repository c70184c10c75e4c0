import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { labelled, Metrics } from '../../src/core/metrics.ts';
import { ProcessMetrics } from '../../src/core/process-metrics.ts';
import { expose } from '../../src/core/prometheus.ts';

const promtool = spawnSync('promtool', ['--version']).status === 0;

describe('the text format of Prometheus', () => {
  it('has one head a family, with its labels below', () => {
    const metrics = new Metrics();
    metrics.counter('weir_b_total{cause="x"}', 'Things.').value = 2;
    metrics.counter('weir_b_total{cause="y"}', 'Things.').value = 3;
    metrics.gauge('weir_a_bytes', 'Of\nlines\\.').value = 1.5;
    metrics.gauge('weir_absent', 'Nothing.').from(() => Number.NaN);
    expect(expose(metrics)).toBe(
      [
        '# HELP weir_a_bytes Of\\nlines\\\\.',
        '# TYPE weir_a_bytes gauge',
        'weir_a_bytes 1.5',
        '# HELP weir_b_total Things.',
        '# TYPE weir_b_total counter',
        'weir_b_total{cause="x"} 2',
        'weir_b_total{cause="y"} 3',
        '',
      ].join('\n'),
    );
  });

  it('adds the buckets of a histogram up', () => {
    const metrics = new Metrics();
    const histogram = metrics.histogram('weir_lag_seconds{channel="a"}', 'Lag.', [1, 5]);
    for (const value of [0.5, 1, 2, 9]) histogram.observe(value);
    expect(expose(metrics).split('\n').slice(2, 7)).toEqual([
      'weir_lag_seconds_bucket{channel="a",le="1"} 2',
      'weir_lag_seconds_bucket{channel="a",le="5"} 3',
      'weir_lag_seconds_bucket{channel="a",le="+Inf"} 4',
      'weir_lag_seconds_sum{channel="a"} 12.5',
      'weir_lag_seconds_count{channel="a"} 4',
    ]);
  });

  it('escapes what a label may hold', () => {
    expect(labelled('a_total', { b: 'x"y\\z\nw' })).toBe('a_total{b="x\\"y\\\\z\\nw"}');
  });

  it.runIf(promtool)('is what promtool accepts without a complaint', () => {
    const metrics = new Metrics();
    new ProcessMetrics({ version: '1', folder: '/' }, { metrics });
    metrics.counter(labelled('weir_drops_total', { cause: 'a"b\\' }), 'Drops.').value = 1;
    metrics.histogram('weir_lag_seconds', 'Lag.', [0.1, 1]).observe(0.5);
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: expose(metrics) });
    expect(`${stdout}${stderr}`).toBe('');
    expect(status).toBe(0);
  });
});
