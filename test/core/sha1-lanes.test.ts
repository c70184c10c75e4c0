import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sha1Lanes } from '../../src/core/sha1-lanes.ts';

describe('SHA-1 of four messages at once', () => {
  const lanes = Sha1Lanes.create()!;
  const digest = new Int32Array(5);
  const block = new Uint8Array(64);
  const view = new DataView(block.buffer);

  it('is that of node:crypto in each lane, whatever stood in the block before', () => {
    const message = fc.uint8Array({ maxLength: 55 });
    fc.assert(
      fc.property(fc.tuple(message, message, message, message), (messages) => {
        messages.forEach((bytes, lane) => {
          block.fill(0xff);
          block.set(bytes);
          lanes.take(lane, view, bytes.length);
        });
        lanes.run();
        messages.forEach((bytes, lane) => {
          lanes.digest(lane, digest);
          const words = Buffer.alloc(20);
          for (const [i, word] of digest.entries()) words.writeInt32BE(word, 4 * i);
          expect(words.toString('hex')).toBe(createHash('sha1').update(bytes).digest('hex'));
        });
      }),
    );
  });
});
