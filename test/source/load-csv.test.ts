import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseTimeUs } from '../../src/core/time.ts';
import { Names } from '../../src/model/names.ts';
import { isLoadCsv, LoadCsvReader } from '../../src/source/load-csv.ts';

const TEXT = `timestamp,series,value
2026-09-20T00:00:00Z,edge1/uplink,8000000
2026-09-20T00:00:00Z,core/3,16000000
2026-09-20T00:05:00Z,edge1/uplink,
2026-09-20T00:10:00Z,core/3,0
`;
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-load-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

function rows(path: string) {
  const names = new Names();
  const reader = new LoadCsvReader(path, { names });
  const out: [string, number, number, number][] = [];
  for (const batch of reader.batches()) {
    for (let i = 0; i < batch.length; i++) {
      out.push([
        names.exporters.text(batch.exporter[i]),
        batch.ingressInterface[i],
        batch.startUs[i],
        batch.octetDeltaCount[i],
      ]);
    }
  }
  return { out, reader };
}

const START = parseTimeUs('2026-09-20T00:00:00Z');

describe('interface loads as CSV', () => {
  it.each([
    ['plain', TEXT],
    ['gzip', gzipSync(TEXT)],
  ])('%s: a row a measured step', (name, content) => {
    const path = write(name, content);
    expect(isLoadCsv(path)).toBe(true);
    const { out, reader } = rows(path);
    expect(out).toEqual([
      ['edge1/uplink', 0, START, 3e8],
      ['core', 3, START, 6e8],
      ['core', 3, START + 600e6, 0],
    ]);
    expect(reader.error).toBeNull();
  });

  it('says where a line is wrong and uses the others', () => {
    const { out, reader } = rows(write('bad.csv', `${TEXT}nonsense\n2026-09-20T00:15:00Z,core/3,8\n`));
    expect(out).toHaveLength(4);
    expect(reader.error).toMatchObject({ code: 'load.line', offset: TEXT.length });
  });

  it('keeps what a damaged gzip file held before the damage', () => {
    const many = `${TEXT}${Array.from({ length: 5000 }, (_, i) => `2026-09-21T00:00:00Z,x${i},${i}`).join('\n')}\n`;
    const cut = gzipSync(many);
    const { out, reader } = rows(write('cut.csv.gz', cut.subarray(0, cut.length - 2000)));
    expect(out.length).toBeGreaterThan(100);
    expect(reader.error).toMatchObject({ code: 'load.damaged' });
  });

  it('is no load table without its header, or when it is not there', () => {
    expect(isLoadCsv(write('other.csv', 'timestamp,value\n1,2\n'))).toBe(false);
    expect(isLoadCsv(join(folder, 'missing'))).toBe(false);
  });
});
