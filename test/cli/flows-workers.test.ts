import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generate } from '../perf/generate.ts';

const ROOT = join(import.meta.dirname, '../..');

test('reader and meter on a thread of their own give the same bytes, damage and exit code', {
  timeout: 120_000,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-workers-'));
  const whole = join(folder, 'whole.pcap');
  generate(whole, 30_000);
  const cut = join(folder, 'cut.pcap');
  writeFileSync(cut, readFileSync(whole).subarray(0, 100_001));
  const answers = ['0', '1'].map((workers) => {
    const out = join(folder, `${workers}.json`);
    const args = ['src/main.ts', 'flows', whole, cut, '--per-file', '--json', '--output', out, '--workers', workers];
    try {
      execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'pipe' });
      return 'no damage was found';
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: Buffer };
      return { status, stderr: stderr.toString(), lines: readFileSync(out, 'utf8') };
    }
  });
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[0]).toMatchObject({ status: 3 });
  rmSync(folder, { recursive: true });
});
