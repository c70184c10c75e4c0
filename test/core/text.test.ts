import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StringTable } from '../../src/core/string-table.ts';
import { formatTime, formatUs, parseTimeUs } from '../../src/core/time.ts';
import { formatDuration, formatQuantity, parseBytes, parseDurationUs, parseQuantity } from '../../src/core/units.ts';

describe('time', () => {
  it('gives back any microsecond from 1970 to 2100', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000_000 }), (us) => parseTimeUs(formatUs(us)) === us),
    );
  });

  it.each([
    ['2017-09-10T17:52:28.969488Z', 1505065948969488],
    ['2017-09-10 17:52:28', 1505065948000000],
    ['2017-09-10T19:52:28+02:00', 1505065948000000],
    ['2017-09-10', 1505001600000000],
    ['2017-09-10T17:52:28.969488123Z', 1505065948969488],
  ])('reads %s', (text, us) => {
    expect(parseTimeUs(text)).toBe(us);
  });

  it('has nine digits where the capture has them', () => {
    expect(formatTime(1505065948969488, 7, 9)).toBe('2017-09-10T17:52:28.969488007Z');
  });

  it.each(['', 'yesterday', '17:52', '2017-13-45T00:00:00Z'])('refuses %s', (text) => {
    expect(parseTimeUs(text)).toBeNaN();
  });
});

describe('units', () => {
  it.each([
    ['20kpps', 20_000, 'pps'],
    ['1Gbps', 1e9, 'bps'],
    ['2MBps', 2e6, 'Bps'],
    ['5m', 300e6, 'time'],
    ['20%', 0.2, 'ratio'],
    ['64KiB', 65_536, 'bytes'],
    ['20k', 20_000, 'none'],
    ['3', 3, 'none'],
    ['1.5M', 1.5e6, 'none'],
    ['250ms', 250_000, 'time'],
  ])('reads %s', (text, value, unit) => {
    expect(parseQuantity(text)).toEqual({ value, unit });
  });

  it.each(['', 'k', '5mpps', '1KBps', '10 kpps', '0x10', '1e3', '5Xbps'])('refuses %s', (text) => {
    expect(parseQuantity(text)).toBeNull();
  });

  it('reads durations and sizes', () => {
    expect([parseDurationUs('30d'), parseDurationUs('3'), parseBytes('20GB'), parseBytes('1s')]).toEqual([
      30 * 86400e6,
      Number.NaN,
      20e9,
      Number.NaN,
    ]);
  });

  it.each([
    [12_345, 'pps', '12.3 kpps'],
    [1.05e9, 'bps', '1.05 Gbps'],
    [0.4, 'ratio', '40%'],
    [300e6, 'time', '5m'],
    [17, 'none', '17'],
  ] as const)('prints %d %s as %s', (value, unit, text) => {
    expect(formatQuantity(value, unit)).toBe(text);
  });

  it('prints durations by their two largest units', () => {
    expect([formatDuration(100_000e6), formatDuration(59.6e6), formatDuration(1500), formatDuration(0)]).toEqual([
      '1d 3h',
      '1m',
      '1.5ms',
      '0us',
    ]);
  });
});

describe('string table', () => {
  it('answers what was put in, for as many as it holds, and never mixes two up', () => {
    const table = new StringTable(8);
    const ids = new Map<string, number>();
    for (let i = 0; i < 30; i++) ids.set(`name${i}`, table.intern(`name${i}`));
    for (const [text, id] of ids) expect([text, '']).toContain(table.text(id));
    expect(table.text(ids.get('name29')!)).toBe('name29');
    expect(table.intern('name29')).toBe(ids.get('name29'));
    expect(table.evicted).toBe(30 - 7);
    expect(table.text(0)).toBe('');
  });
});
