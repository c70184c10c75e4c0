import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { worthReading } from '../src/early-thread.ts';

const folder = mkdtempSync(join(tmpdir(), 'weir-early-'));
const fileOf = (name: string, bytes: number): string => {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, bytes);
  return path;
};
const small = fileOf('small.pcap', 1e6);
const large = fileOf('large.pcap', 40e6);

afterAll(() => rmSync(folder, { recursive: true }));

test('a thread is worth while for files that are large together, where there are two processors', () => {
  expect(worthReading([large])).toBe(availableParallelism() > 1);
  expect(worthReading(Array(40).fill(small))).toBe(availableParallelism() > 1);
});

test('not for small files, folders, what is not there and standard input', () => {
  expect(worthReading([small])).toBe(false);
  expect(worthReading([folder, join(folder, 'none.pcap')])).toBe(false);
  expect(worthReading([large, '-'])).toBe(false);
});
