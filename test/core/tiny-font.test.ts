import { expect, test } from 'vitest';
import { eachDot, GLYPH_HEIGHT, textWidth } from '../../src/core/tiny-font.ts';

test('a text is drawn inside its width and height, and tells its characters apart', () => {
  const drawn = [...'0123456789.:-+ekMGT'].map((character) => {
    const dots: string[] = [];
    eachDot(character, (x, y) => {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThan(textWidth(character));
      expect(y).toBeLessThan(GLYPH_HEIGHT);
      dots.push(`${x},${y}`);
    });
    expect(dots.length).toBeGreaterThan(3);
    return dots.join(' ');
  });
  expect(new Set(drawn).size).toBe(drawn.length);
});

test('what has no glyph is blank', () => {
  let dots = 0;
  eachDot('é ', () => dots++);
  expect(dots).toBe(0);
});
