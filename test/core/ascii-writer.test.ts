import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AsciiWriter, piece } from '../../src/core/ascii-writer.ts';
import { SHA1_SHORT, sha1Short } from '../../src/core/sha1.ts';

const numbers = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(),
  fc.double(),
  fc.constantFrom(0, 9, 10, 99, 100, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -1, 0.5, 1e21, 99999999, 1e8),
);

test('numbers, pieces and texts stand behind each other as JavaScript writes them', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(numbers, fc.string({ unit: 'grapheme' }))), (parts) => {
      const out = new AsciiWriter(64);
      for (const part of parts) {
        out.reserve(64);
        if (typeof part === 'number') out.number(part);
        else if (part.length % 2 === 0) out.text(part);
        else {
          out.reserve(4 * part.length);
          out.piece(piece(part));
        }
      }
      expect(out.written.toString('utf8')).toBe(Buffer.from(parts.join('')).toString('utf8'));
    }),
  );
});

test('SHA-1 of short messages is that of node:crypto', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: SHA1_SHORT }), (message) => {
      const digest = new Int32Array(5);
      sha1Short(message, message.length, digest);
      const bytes = Buffer.alloc(20);
      for (let i = 0; i < 5; i++) bytes.writeInt32BE(digest[i], 4 * i);
      expect(bytes.equals(createHash('sha1').update(message).digest())).toBe(true);
    }),
  );
});
