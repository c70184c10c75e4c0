import { describe, expect, it } from 'vitest';
import { giveBack, takeDoubles, takeWords } from '../../src/core/buffer-pool.ts';

describe('the pool of buffers', () => {
  it('gives an array of the length asked for, over a buffer that came back', () => {
    const first = takeWords(5000);
    expect(first.length).toBe(5000);
    giveBack(first);
    const second = takeDoubles(3000);
    expect(second.length).toBe(3000);
    expect(second.buffer).toBe(first.buffer);
    expect(takeWords(5000).buffer).not.toBe(first.buffer);
  });

  it('keeps no more than a limit, and nothing of a size that it does not give', () => {
    const large = Array.from({ length: 3 }, () => takeWords(2 << 20));
    for (const each of large) giveBack(each);
    const again = large.map(() => takeWords(2 << 20).buffer);
    expect(large.filter(({ buffer }) => again.includes(buffer)).length).toBe(2);
    const odd = new Int32Array(5000);
    giveBack(odd);
    expect(takeWords(5000).buffer).not.toBe(odd.buffer);
  });
});
