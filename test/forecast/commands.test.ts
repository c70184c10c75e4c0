import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { daily, HOUR_US } from './series.ts';

const folder = mkdtempSync(join(tmpdir(), 'weir-series-'));
afterAll(() => rmSync(folder, { recursive: true }));
const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;

function weir(args: string[], input = '') {
  const done = spawnSync(process.execPath, [MAIN, ...args], { input, encoding: 'utf8', cwd: folder });
  return { code: done.status, out: done.stdout, lines: done.stdout.trimEnd().split('\n'), err: done.stderr };
}

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return name;
}

const value = daily(11);
const START = Date.UTC(2026, 0, 5);
const rows = Array.from({ length: 24 * 60 }, (_, i) => {
  const stamp = new Date(START + i * 3600e3).toISOString().slice(0, 19).replace('T', ' ');
  return `${stamp},${Math.round(value(i * HOUR_US))}`;
});
const CSV = `timestamp,value\n${rows.join('\n')}\n`;

test('forecast --backtest --json: the promised shape', () => {
  const { code, lines } = weir([
    'forecast',
    '--backtest',
    file('a.csv', CSV),
    '--horizons',
    '1,24',
    '--test',
    '1/3',
    '--json',
  ]);
  expect(code).toBe(0);
  const answer = JSON.parse(lines[0]);
  expect(answer).toMatchObject({ series: 'a.csv', step: 3600, n: 1440 });
  expect(answer.horizons.map((h: { steps: number }) => h.steps)).toEqual([1, 24]);
  for (const h of answer.horizons) {
    for (const name of ['mape', 'wape', 'mase', 'width95', 'mapeNaive', 'mapeSeasonalNaive', 'mapeHoltWinters']) {
      expect(h[name]).toBeGreaterThan(0);
    }
    expect(h.mape).toBeLessThan(h.mapeSeasonalNaive);
    expect(h.coverage95).toBeGreaterThan(90);
    expect(h.coverage80).toBeGreaterThan(70);
  }
});

test('forecast: plain values need a step; gzip, zstd and standard input read alike', () => {
  const plain = rows.map((row) => row.split(',')[1]).join('\n');
  expect(weir(['forecast', file('plain.txt', plain)])).toMatchObject({ code: 2 });
  const [a] = weir(['forecast', 'plain.txt', '--step', '1h', '--json']).lines;
  const answer = JSON.parse(a);
  expect(answer.points).toHaveLength(24);
  expect(answer.points[0].time).toBe('1970-03-02T00:00:00.000000Z');
  for (const [name, bytes] of [
    ['b.gz', gzipSync(CSV)],
    ['b.zst', zstdCompressSync(CSV)],
  ] as const) {
    const [line] = weir(['forecast', file(name, bytes), '--json']).lines;
    expect(JSON.parse(line).points).toEqual(JSON.parse(weir(['forecast', '-', '--json'], CSV).lines[0]).points);
  }
});

test('forecast: table, plot and capacity are for people', () => {
  file('c.csv', CSV);
  expect(weir(['forecast', 'c.csv']).out).toContain('expected');
  const plot = weir(['forecast', 'c.csv', '--plot', '--capacity', '10M', '--reach', '90%']).out;
  expect(plot).toContain('95 % interval');
  expect(plot).toContain('9.00 M is reached within 365 days');
  expect(weir(['forecast', '--backtest', 'c.csv', '--horizons', '1,24']).out).toContain('Holt-Winters');
});

test('usage errors are 2, nothing readable is 4', () => {
  file('d.csv', CSV);
  expect(weir(['forecast', 'd.csv', '--horizon', 'soon']).code).toBe(2);
  expect(weir(['forecast', '--backtest', 'd.csv', '--horizons', '0']).code).toBe(2);
  expect(weir(['forecast', '--backtest', 'd.csv', '--test', '2']).code).toBe(2);
  expect(weir(['forecast', 'd.csv', '--capacity', 'much']).code).toBe(2);
  expect(weir(['detect']).code).toBe(2);
  expect(weir(['detect', '--series', 'absent.csv']).code).toBe(4);
  expect(weir(['detect', '--series', file('empty.csv', '')]).code).toBe(4);
  expect(weir(['detect', '--series', file('words.csv', 'lorem\nipsum\n')]).code).toBe(4);
});

test('detect --json: a line a row, also for missing and bad ones, which are named', () => {
  const spoiled = CSV.split('\n');
  spoiled[701] = `${spoiled[701].split(',')[0]},`;
  spoiled[702] = `${spoiled[702].split(',')[0]},much`;
  spoiled[703] = 'then,5';
  spoiled[900] = `${spoiled[900].split(',')[0]},90000000`;
  const { code, lines, err } = weir(['detect', '--series', file('e.csv', spoiled.join('\n')), '--json']);
  expect(code).toBe(3);
  expect(err).toContain('line 703: "much" is no number');
  expect(err).toContain('line 704: "then" is no time');
  expect(err).not.toContain('line 702');
  expect(lines).toHaveLength(1440);
  const answers = lines.map((line) => JSON.parse(line));
  expect(Object.keys(answers[0])).toEqual(['timestamp', 'value', 'expected', 'low', 'high', 'score']);
  expect(answers[700]).toMatchObject({ value: null, score: 0 });
  expect(answers[702]).toMatchObject({ timestamp: 'then', value: 5, expected: null, score: 0 });
  expect(answers[5].timestamp).toBe('2026-01-05 05:00:00');
  const scores = answers.map((answer) => answer.score);
  expect(scores.indexOf(Math.max(...scores))).toBe(899);
  expect(answers.every(({ score }) => score >= 0 && score <= 1)).toBe(true);
});

test('detect --csv and --above', () => {
  const { lines, code } = weir(['detect', '--series', file('f.csv', CSV), '--csv']);
  expect(code).toBe(0);
  expect(lines[0]).toBe('timestamp,value,expected,low,high,score');
  expect(lines).toHaveLength(1441);
  expect(weir(['detect', '--series', 'f.csv', '--csv', '--above', '1']).lines).toHaveLength(1);
});

test('series as other programs write them read alike', () => {
  const points = JSON.parse(weir(['forecast', '-', '--json'], CSV).lines[0]).points;
  const cells = rows.map((row) => row.split(','));
  const seconds = (stamp: string) => Date.parse(`${stamp.replace(' ', 'T')}Z`) / 1000;
  const lines = (line: (stamp: string, value: string) => string) => cells.map(([s, v]) => line(s, v)).join('\n');
  const shuffled = rows.toSorted((a, b) => (a.slice(-4) < b.slice(-4) ? -1 : 1));
  const variants = {
    'mark, quotes, CRLF': `\ufeff"Timestamp","Value"\r\n${lines((s, v) => `"${s}","${v}"\r`)}`,
    'epoch seconds': `time,bps\n${lines((s, v) => `${seconds(s)},${v}`)}`,
    'semicolons and decimal commas': `date;load\n${lines((s, v) => `${s};${v},0`)}`,
    'tabs, no header': lines((s, v) => `${s}\t${v}`),
    'a zone, columns before and between': `id,datetime,site,value\n${lines((s, v) => `7,${s.replace(' ', 'T')}+00:00,a,${v}`)}`,
    'slashes, no known names': `when it was,traffic\n${lines((s, v) => `${s.replaceAll('-', '/')},${v}`)}`,
    'out of order, twice, a comment': `# from elsewhere\ntimestamp, value\n${[...shuffled, ...rows.slice(0, 9)].join('\n')}\n`,
  };
  for (const [name, text] of Object.entries(variants)) {
    const { code, lines } = weir(['forecast', '-', '--json'], text);
    expect([name, code, JSON.parse(lines[0]).points]).toEqual([name, 0, points]);
  }
});

test('forecast: what if, pictures, calendars, forecasts that add up', () => {
  file('g.csv', CSV);
  const capacity = ['--capacity', '10M', '--reach', '50%', '--json'];
  const plain = JSON.parse(weir(['forecast', 'g.csv', ...capacity]).lines[0]).capacity;
  const more = JSON.parse(
    weir(['forecast', 'g.csv', ...capacity, '--growth', 'x2', '--add', '2.5M']).lines[0],
  ).capacity;
  expect(plain.whatIf).toEqual({ growth: 1, add: 0 });
  expect(more.whatIf).toEqual({ growth: 2, add: 2.5e6 });
  expect(more.probability).toBeGreaterThan(plain.probability);
  const path = (...args: string[]) => JSON.parse(weir(['forecast', 'g.csv', '--json', ...args]).lines[0]);
  const moved = path('--add', '2.5M');
  expect(moved.whatIf).toEqual({ growth: 1, add: 2.5e6 });
  expect(moved.points[5].high95 - path().points[5].high95).toBeCloseTo(2.5e6, 3);
  expect(weir(['forecast', 'g.csv', '--add', '2.5M']).lines[1]).toBe('if 2.50 M are added:');
  expect(weir(['forecast', 'g.csv', '--growth', 'fast']).code).toBe(2);
  expect(weir(['forecast', 'g.csv', '--png', 'g.png']).code).toBe(0);
  expect(readFileSync(join(folder, 'g.png')).subarray(1, 4).toString()).toBe('PNG');
  expect(weir(['forecast', 'g.csv', 'a.csv', '--png', 'g.png']).code).toBe(2);
  file('days.txt', '# ours\n2026-03-06 a free day\n');
  expect(weir(['forecast', 'g.csv', '--holidays', 'days.txt', '--zone', 'Europe/Berlin', '--json']).code).toBe(0);
  expect(weir(['forecast', 'g.csv', '--zone', 'Nowhere']).code).toBe(2);
  expect(weir(['forecast', 'g.csv', '--holidays', file('bad.txt', 'soon\n')]).code).toBe(2);
  const half = rows
    .map((row) => row.replace(/,(\d+)$/, (_, v) => `,${Math.round(v * (0.3 + (v % 7) / 100))}`))
    .join('\n');
  file('half.csv', `timestamp,value\n${half}\n`);
  const { lines } = weir(['forecast', '--reconcile', '--json', 'g.csv', 'half.csv', 'half.csv']);
  const [whole, first, second] = lines.map((line) => JSON.parse(line).points[5].expected);
  expect(first + second).toBeCloseTo(whole, 3);
  file('young.csv', `timestamp,value\n${rows.slice(-20).join('\n')}\n`);
  const pooled = JSON.parse(weir(['forecast', 'young.csv', '--parent', 'g.csv', '--json']).lines[0]);
  const known = JSON.parse(weir(['forecast', 'g.csv', '--json']).lines[0]);
  expect(pooled.points[6].expected / known.points[6].expected).toBeCloseTo(1, 1);
});

test('forecast and detect: globs, lists, several series', () => {
  file('h1.csv', CSV);
  file('h2.csv', CSV);
  expect(weir(['forecast', 'h?.csv', '--json']).lines).toHaveLength(2);
  expect(weir(['forecast', '--files-from', '-', '--json'], 'h1.csv\nh2.csv\n').lines).toHaveLength(2);
  const { lines } = weir(['detect', '--series', 'h1.csv', 'h2.csv', '--json']);
  expect(lines).toHaveLength(2880);
  expect(JSON.parse(lines[2000])).toMatchObject({ series: 'h2.csv' });
  expect(weir(['detect', '--files-from', '-', '--csv', '--above', '1'], 'h1.csv\nh2.csv\n').lines).toEqual([
    'series,timestamp,value,expected,low,high,score',
  ]);
});
