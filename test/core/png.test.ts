import { crc32, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { linePlot } from '../../src/core/line-plot.ts';
import { encodePng } from '../../src/core/png.ts';

/** Reads a PNG with the layout of the specification, checking every CRC. */
function decode(png: Buffer): { width: number; height: number; rgb: Buffer } {
  expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  const chunks: Record<string, Buffer> = {};
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const body = png.subarray(at + 4, at + 8 + length);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    chunks[body.subarray(0, 4).toString('latin1')] = body.subarray(4);
    at += 12 + length;
  }
  const [width, height] = [chunks['IHDR'].readUInt32BE(0), chunks['IHDR'].readUInt32BE(4)];
  const rows = inflateSync(chunks['IDAT']);
  const lines = Array.from({ length: height }, (_, y) => {
    expect(rows[y * (width * 3 + 1)]).toBe(0);
    return rows.subarray(y * (width * 3 + 1) + 1, (y + 1) * (width * 3 + 1));
  });
  return { width, height, rgb: Buffer.concat(lines) };
}

it('what is written is what is read', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), fc.nat(), (width, height, seed) => {
      const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 31 + seed) % 256);
      expect(decode(encodePng(width, height, rgb))).toEqual({ width, height, rgb: Buffer.from(rgb) });
    }),
  );
});

const colours = {
  background: [255, 255, 255],
  grid: [230, 230, 230],
  line: [200, 0, 0],
  fill: [250, 220, 220],
  limit: [0, 0, 0],
} as const;

it('the line is where the values are', () => {
  const points = Array.from({ length: 11 }, (_, i) => ({ x: i, y: i < 5 ? 10 : 100 }));
  const { width, rgb } = decode(linePlot({ width: 220, height: 100, points, limit: null, colours }));
  const reds = (x: number) => Array.from({ length: 100 }, (_, y) => y).filter((y) => rgb[(y * width + x) * 3 + 1] < 60);
  expect(Math.min(...reds(20))).toBeGreaterThan(75);
  expect(Math.max(...reds(200))).toBeLessThan(20);
});

it('any values give a picture', () => {
  const value = fc.oneof(fc.double(), fc.constant(Number.NaN), fc.constant(0));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 30 }), fc.option(fc.double({ noNaN: true })), (values, limit) => {
      const points = values.map((y, x) => ({ x, y }));
      expect(decode(linePlot({ width: 60, height: 40, points, limit, colours })).width).toBe(60);
    }),
    { numRuns: 50 },
  );
});
