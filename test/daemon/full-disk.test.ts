import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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

function run(kind: string): Told {
  const [command, ...args] = [...UNSHARE, process.execPath, join(ROOT, 'test/daemon/full-disk.ts'), kind];
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8', timeout: 50_000 });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Told;
}

describe.skipIf(!allowed)(`a disk that fails for a while${title}`, () => {
  it.each([
    ['full', /no space left/i],
    ['read-only', /Read-only file system|mkdir/],
  ])('%s: alerts still go out, the history says what is wrong, and all recovers by itself', (kind, problem) => {
    const { during, after, packets, gapRows, told } = run(kind);
    expect(during.delivered).toContain('firing');
    expect(during.problem).toMatch(problem);
    expect(during.trouble).not.toBeNull();
    expect(after).toEqual({ delivered: ['firing', 'resolved'], problem: null, checkpoint: null });
    expect(told).toBe(3);
    expect({ packets, gapRows }).toEqual({ packets: 660, gapRows: 0 });
  });
});
