import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

test.each([
  ['flows', 20_000],
  ['replay', 200_000],
])(
  '%s: a capture out of order is read in the order of time by the thread, too',
  {
    timeout: 120_000,
  },
  (command, packets) => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-workers-'));
    const whole = join(folder, 'whole.pcap');
    generate(whole, packets);
    const bytes = readFileSync(whole);
    const mixed = join(folder, 'mixed.pcap');
    const middle = recordNear(bytes, bytes.length / 2);
    writeFileSync(mixed, Buffer.concat([bytes.subarray(0, 24), bytes.subarray(middle), bytes.subarray(24, middle)]));
    const run = (path: string, workers: string): { stdout: string; stderr: string } => {
      const args = ['src/main.ts', command, path, '--json', '--workers', workers];
      const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 });
      return { stdout: stdout.replaceAll(path, ''), stderr: stderr.replaceAll(path, '') };
    };
    const threaded = run(mixed, '1');
    expect(threaded).toEqual(run(mixed, '0'));
    expect(threaded.stdout).toBe(run(whole, '0').stdout);
    expect(threaded.stdout).not.toBe('');
    expect(threaded.stderr).toContain('it is read in the order of time');
    rmSync(folder, { recursive: true });
  },
);

/** Where a record of the capture begins, not before `from`. */
function recordNear(bytes: Buffer, from: number): number {
  let at = 24;
  while (at < from) at += 16 + bytes.readUInt32LE(at + 8);
  return at;
}

test('a large capture gives the same bytes by the thread that starts early, and nothing waits for one that is not wanted', {
  timeout: 120_000,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-workers-'));
  const large = join(folder, 'large.pcap');
  generate(large, 350_000);
  const flows = (...options: string[]): Buffer => {
    const args = ['src/main.ts', 'flows', large, '--json', ...options];
    return execFileSync(process.execPath, args, { cwd: ROOT, maxBuffer: 1 << 28 });
  };
  expect(statSync(large).size).toBeGreaterThan(32 * 2 ** 20);
  expect(flows().equals(flows('--workers', '0'))).toBe(true);
  rmSync(folder, { recursive: true });
});
