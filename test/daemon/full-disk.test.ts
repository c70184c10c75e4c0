import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/replay.ts';

/** A mount namespace of our own is the only place where a disk may be filled. */
const UNSHARE = ['unshare', '--user', '--map-root-user', '--mount'];
const allowed = spawnSync(UNSHARE[0], [...UNSHARE.slice(1), 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
const title = allowed ? '' : ' (skipped: no mount namespaces here)';

interface Told {
  during: { delivered: string[]; problem: string | null; trouble: string | null };
  after: { delivered: string[]; problem: string | null; checkpoint: string | null };
  packets: number;
  gapRows: number;
  told: number;
}

/** The library that makes writes fail, compiled; null where there is no compiler. */
function failingDisk(folder: string): string | null {
  const library = join(folder, 'failing-disk.so');
  const source = join(ROOT, 'test/daemon/failing-disk.c');
  return spawnSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl']).status === 0 ? library : null;
}

const folder = mkdtempSync(join(tmpdir(), 'weir-failing-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const library = allowed ? failingDisk(folder) : null;

function run(kind: string, env: Record<string, string> = {}): Told {
  const [command, ...args] = [...UNSHARE, process.execPath, join(ROOT, 'test/daemon/full-disk.ts'), kind];
  const all = { ...process.env, ...env };
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8', timeout: 50_000, env: all });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Told;
}

/** Alerts go out while the disk fails; afterwards everything is there. */
function expectGood({ during, after, packets, gapRows, told }: Told, problem: RegExp): void {
  expect(during.delivered).toContain('firing');
  expect(during.problem).toMatch(problem);
  expect(during.trouble).not.toBeNull();
  expect(after).toEqual({ delivered: ['firing', 'resolved'], problem: null, checkpoint: null });
  expect(told).toBe(3);
  expect({ packets, gapRows }).toEqual({ packets: 660, gapRows: 0 });
}

describe.skipIf(!allowed)(`a disk that fails for a while${title}`, () => {
  it.each([
    ['full', /no space left/i],
    ['read-only', /Read-only file system|mkdir/],
  ])('%s: alerts still go out, the history says what is wrong, and all recovers by itself', (kind, problem) => {
    expectGood(run(kind), problem);
  });

  it.skipIf(library === null)(`EIO${library === null ? ' (skipped: no C compiler)' : ''}: the same`, () => {
    const env = { LD_PRELOAD: library ?? '', FAIL_IN: '/disk/state', FAIL_FLAG: join(folder, 'fails') };
    expectGood(run('failing', env), /EIO|i\/o error/i);
  });
});
