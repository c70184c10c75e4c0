import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CaptureSummary, openCapture, openOrdered, summarize } from '../../src/source/source.ts';
import { drain, readAll } from './read.ts';

/** Real captures with what capinfos says of each. */
const DATA = resolve(import.meta.dirname, '../../../shared/data');
const LIST = join(DATA, 'CAPINFOS.tsv');
const there = existsSync(LIST);

interface Row {
  file: string;
  type: string;
  packets: string;
  wireBytes: string;
  first: string;
  last: string;
  error: string;
}

function table(path: string): string[][] {
  if (!there) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => line.split('\t'));
}

const rows: Row[] = table(LIST)
  .slice(1)
  .map(([file, type, , packets, wireBytes, first, last, error = '']) => ({
    file,
    type,
    packets,
    wireBytes,
    first,
    last,
    error,
  }));

/** Figures that are capinfos' own: file -> fields. */
const exceptions = new Map<string, string[]>();
for (const [kind, file, field] of table(join(DATA, 'EXCEPTIONS.tsv'))) {
  if (kind === 'stats') exceptions.set(file, [...(exceptions.get(file) ?? []), field]);
}

/** capinfos prints a fraction of a second or more, and times before the epoch, as they stand: no time to compare. */
const isTime = (text: string): boolean => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.(\d{6}|\d{9})$/.test(text);
const asIso = (text: string): string => `${text.replace(' ', 'T')}Z`;
/** What capinfos refuses although nothing is damaged: link types that it does not know. */
const unknownLinkType = (row: Row): boolean => /network type \d+ unknown/.test(row.error);

async function summary(file: string): Promise<CaptureSummary> {
  return summarize(openCapture(join(DATA, file)));
}

function figures(row: Row, got: CaptureSummary): Record<string, [unknown, unknown]> {
  const excepted = exceptions.get(row.file) ?? [];
  const all: Record<string, [unknown, unknown]> = {
    packets: [got.packets, Number(row.packets)],
    wireBytes: [got.wireBytes, Number(row.wireBytes)],
    damaged: [got.error !== null, row.error !== ''],
  };
  if (isTime(row.first)) all['firstTime'] = [got.firstTime, asIso(row.first)];
  if (isTime(row.last)) all['lastTime'] = [got.lastTime, asIso(row.last)];
  return Object.fromEntries(
    Object.entries(all).filter(([field]) => !excepted.includes(field) && !excepted.includes('*')),
  );
}

const same = (pairs: Record<string, [unknown, unknown]>, side: 0 | 1) =>
  Object.fromEntries(Object.entries(pairs).map(([field, pair]) => [field, pair[side]]));

describe.skipIf(!there)('real captures (skipped where ../shared/data is absent)', () => {
  test('every figure that capinfos gives', async () => {
    const read = rows.filter(({ packets }) => packets !== '');
    expect(read.length).toBeGreaterThan(200);
    const got: Record<string, unknown> = {};
    const want: Record<string, unknown> = {};
    for (const row of read) {
      const pairs = figures(row, await summary(row.file));
      got[row.file] = same(pairs, 0);
      want[row.file] = same(pairs, 1);
    }
    expect(got).toEqual(want);
  });

  test('what capinfos refuses is refused with a place, unless only its link type is unknown', async () => {
    for (const row of rows.filter(({ packets }) => packets === '')) {
      const { error, packets, linkTypes } = await summary(row.file);
      if (unknownLinkType(row)) {
        expect([row.file, error, packets > 0, linkTypes.length]).toEqual([row.file, null, true, 1]);
      } else {
        expect([row.file, error?.code, packets]).toEqual([row.file, expect.stringMatching(/^capture\./), 0]);
        expect(error!.offset).toBeGreaterThanOrEqual(0);
      }
    }
  });

  test('the second reader agrees wherever it can read', async () => {
    let compared = 0;
    for (const row of rows.filter(({ type }) => type === 'pcap')) {
      const library = openCapture(join(DATA, row.file), { reader: 'pcap-parser' });
      const packets = await readAll(library, 4096);
      if (library.error?.code === 'capture.unknown') continue;
      const own = await readAll(openCapture(join(DATA, row.file)), 4096);
      expect([row.file, packets.length]).toEqual([row.file, own.length]);
      expect(packets).toEqual(own);
      compared++;
    }
    expect(compared).toBeGreaterThan(100);
  });

  test('as one stream, nothing is lost, and time runs on within the bound', async () => {
    const files = rows.filter(({ packets }) => packets !== '').map(({ file }) => join(DATA, file));
    const total = rows.reduce(
      (sum, { packets, file }) => sum + (exceptions.get(file)?.includes('*') ? 0 : Number(packets)),
      0,
    );
    const stream = openOrdered(files.filter((file) => !exceptions.get(file.slice(DATA.length + 1))?.includes('*')));
    let latest = Number.NEGATIVE_INFINITY;
    let packets = 0;
    for (let run = await stream.next(); run !== null; run = await stream.next()) {
      packets += run.to - run.from;
      for (let i = run.from; i < run.to; i++) {
        expect(latest - run.batch.timeUs[i]).toBeLessThanOrEqual(3e6);
        latest = Math.max(latest, run.batch.timeUs[i]);
      }
    }
    stream.close();
    expect(packets).toBe(total);
  });

  test('the order of the paths does not matter', async () => {
    const files = rows.filter(({ file }) => file.startsWith('arkime/')).map(({ file }) => join(DATA, file));
    const got = await drain(openOrdered(files));
    expect(await drain(openOrdered([...files].reverse()))).toEqual(got);
  });
});
