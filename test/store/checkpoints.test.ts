import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeSnapshot } from '../../src/core/snapshot-file.ts';
import { Checkpoints, STATE_VERSION } from '../../src/store/store.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-checkpoints-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const files = (): string[] => readdirSync(join(folder, 'checkpoint')).sort();
const path = (epoch: number): string => join(folder, 'checkpoint', `${String(epoch).padStart(12, '0')}.snapshot`);

async function three(): Promise<Checkpoints> {
  const checkpoints = new Checkpoints(folder);
  for (const epoch of [1, 2, 3]) await checkpoints.write(epoch, [bytes('state '), bytes(`${epoch}`)]);
  return checkpoints;
}

describe('checkpoints', () => {
  it('the newest is found, the last two are kept', async () => {
    const checkpoints = await three();
    const found = checkpoints.newest();
    expect(found).toMatchObject({ epoch: 3, unreadable: [] });
    expect(Buffer.from(found?.body ?? []).toString()).toBe('state 3');
    expect(files()).toEqual(['000000000002.snapshot', '000000000003.snapshot']);
  });

  it('none is none', () => {
    expect(new Checkpoints(folder).newest()).toBeNull();
  });

  it('any damage, any cut: the older one is taken, and it is said', async () => {
    const checkpoints = await three();
    const whole = readFileSync(path(3));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, cut) => {
        const spoiled = Buffer.from(whole);
        spoiled[at] ^= flip;
        writeFileSync(path(3), spoiled);
        if (cut) truncateSync(path(3), at);
        const found = checkpoints.newest();
        expect(found?.epoch).toBe(2);
        expect(found?.unreadable).toHaveLength(1);
      }),
      { numRuns: 200 },
    );
  });

  it('one of another version is refused, with the remedy', async () => {
    const checkpoints = await three();
    await writeSnapshot(path(4), STATE_VERSION + 1, [bytes('state 4')]);
    expect(() => checkpoints.newest()).toThrow(
      expect.objectContaining({ code: 'checkpoint.version', hint: expect.stringContaining('--fresh') }),
    );
  });
});
