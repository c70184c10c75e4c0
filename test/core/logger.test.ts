import { closeSync, fstatSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LogFormat, logFormat, logStream } from '../../src/core/log-stream.ts';
import { createLogger } from '../../src/core/logger.ts';

let lines: string[];
let now: number;

beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  now = 0;
});
afterEach(() => void vi.useRealTimers());

function logger(format: LogFormat = 'json') {
  const stream = logStream(format, { write: (text: string) => lines.push(text) });
  return createLogger({ level: 'debug', stream, nowMs: () => now });
}

function pass(ms: number): void {
  now += ms;
  vi.advanceTimersByTime(ms);
}

const read = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('a line', () => {
  it('is one JSON object', () => {
    logger().warn({ code: 'notify.retry', channel: 'ops', error: 'a\nb' });
    expect(read()).toEqual([
      { level: 40, time: expect.any(String), code: 'notify.retry', channel: 'ops', error: 'a\nb' },
    ]);
    expect(lines[0].trimEnd()).not.toContain('\n');
  });

  it('bears its level for the journal', () => {
    const log = logger('journal');
    log.debug({ code: 'a' });
    log.info({ code: 'b' });
    log.warn({ code: 'c' });
    log.error({ code: 'd' });
    log.fatal({ code: 'e' });
    expect(lines.map((line) => line.slice(0, 4))).toEqual(['<7>{', '<6>{', '<4>{', '<3>{', '<2>{']);
  });

  it('is readable on a terminal and cannot steer it', () => {
    logger('pretty').warn({ code: 'notify.retry', channel: 'ops', error: 'HTTP 500 \u001b[31m', n: 3 }, 'again');
    expect(lines[0].slice(9)).toBe('WARN  notify.retry again channel=ops error="HTTP 500 \\u001b[31m" n=3\n');
  });
});

describe('an event that repeats', () => {
  it('is written five times in ten seconds, then once with how many more there were', () => {
    const log = logger();
    for (let i = 0; i < 100; i++) log.warn({ code: 'a.b', n: i });
    expect(read().map(({ n }) => n)).toEqual([0, 1, 2, 3, 4]);
    pass(10_000);
    expect(read().slice(5)).toMatchObject([{ code: 'a.b', n: 99, repeated: 95 }]);
    log.warn({ code: 'a.b', n: 100 });
    expect(read()).toHaveLength(7);
  });

  it('is counted by place: another channel is another event', () => {
    const log = logger();
    for (let i = 0; i < 7; i++) for (const channel of ['a', 'b']) log.warn({ code: 'notify.retry', channel });
    expect(lines).toHaveLength(10);
    pass(10_000);
    expect(read().slice(10)).toMatchObject([
      { channel: 'a', repeated: 2 },
      { channel: 'b', repeated: 2 },
    ]);
  });

  it('is told by the next of its kind when that comes before the timer', () => {
    const log = logger();
    for (let i = 0; i < 6; i++) log.warn({ code: 'a.b' });
    now += 10_001;
    log.warn({ code: 'a.b' });
    expect(read().slice(5)).toMatchObject([{ code: 'a.b' }, { code: 'a.b' }]);
  });

  it('is remembered up to a bound: a thousand others push it out, with its count', () => {
    const log = logger();
    for (let i = 0; i < 8; i++) log.warn({ code: 'first' });
    for (let i = 0; i < 1000; i++) log.warn({ code: `other.${i}` });
    expect(read().filter(({ code }) => code === 'first')).toMatchObject([{}, {}, {}, {}, {}, { repeated: 3 }]);
  });
});

describe('who reads standard error', () => {
  it('is the journal when JOURNAL_STREAM names the same file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-log-'));
    const fd = openSync(join(folder, 'x'), 'w');
    const { dev, ino } = fstatSync(fd);
    expect(logFormat({ JOURNAL_STREAM: `${dev}:${ino}` }, fd)).toBe('journal');
    expect(logFormat({ JOURNAL_STREAM: `${dev}:${ino + 1}` }, fd)).not.toBe('journal');
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  it('is who WEIR_LOG_FORMAT says', () => {
    expect(logFormat({ WEIR_LOG_FORMAT: 'pretty', JOURNAL_STREAM: '1:2' })).toBe('pretty');
  });
});

describe('event codes', () => {
  const root = resolve(import.meta.dirname, '../..');
  const CALL = /\.(trace|debug|info|warn|error|fatal)\(\s*\{\s*code: '([^']+)'/g;

  it('stand in docs/operations.md, each with its level, and no others', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((f) =>
      f.endsWith('.ts'),
    );
    const used = files.flatMap((file) => [...readFileSync(join(root, 'src', file), 'utf8').matchAll(CALL)]);
    const page = readFileSync(join(root, 'docs/operations.md'), 'utf8');
    const table = page.slice(page.indexOf('### Event codes'), page.indexOf('<!-- end of event codes -->'));
    const told = [...table.matchAll(/^\| `([\w.]+)` \| (\w+) \|/gm)].map(([, code, level]) => `${code} ${level}`);
    expect(told.toSorted()).toEqual([...new Set(used.map(([, level, code]) => `${code} ${level}`))].toSorted());
  });
});
