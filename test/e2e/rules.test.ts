import { describe, expect, it } from 'vitest';
import { weir } from '../support/cli.ts';

describe('the rule library', () => {
  it('passes its own tests', { timeout: 240_000 }, async () => {
    const { code, stdout } = await weir(['test', 'rules/']);
    expect(stdout.split('\n').filter((line) => line.startsWith('FAIL') || line.startsWith('    '))).toEqual([]);
    expect(stdout).toMatch(/(\d+) of \1 cases passed/);
    expect(code).toBe(0);
  });

  it('has no finding, not even a warning', async () => {
    const { code, stdout } = await weir(['check', 'rules/', '--json']);
    expect([code, stdout]).toEqual([0, '']);
  });
});
