import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Room for all that might be allocated, so that no collection takes it away before it is counted. */
const HEAP = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64', '--no-concurrent-recompilation'];

test('decoding and metering a million packets allocates nothing a packet', { timeout: 120_000 }, () => {
  const script = join(import.meta.dirname, 'allocation-run.ts');
  const { packets, bytes, slices } = JSON.parse(
    execFileSync(process.execPath, [...HEAP, script], { encoding: 'utf8' }),
  );
  expect(slices).toBeGreaterThan(10_000);
  expect(bytes / packets).toBeLessThan(4);
});
