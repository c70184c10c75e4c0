/** Digits and the few letters that axes need, five pixels wide and seven high: a row a number, the left pixel is 16. */
const GLYPHS: Record<string, readonly number[]> = {
  '0': [14, 17, 19, 21, 25, 17, 14],
  '1': [4, 12, 4, 4, 4, 4, 14],
  '2': [14, 17, 1, 2, 4, 8, 31],
  '3': [31, 2, 4, 2, 1, 17, 14],
  '4': [2, 6, 10, 18, 31, 2, 2],
  '5': [31, 16, 30, 1, 1, 17, 14],
  '6': [6, 8, 16, 30, 17, 17, 14],
  '7': [31, 1, 2, 4, 8, 8, 8],
  '8': [14, 17, 17, 14, 17, 17, 14],
  '9': [14, 17, 17, 15, 1, 2, 12],
  '.': [0, 0, 0, 0, 0, 12, 12],
  ':': [0, 12, 12, 0, 12, 12, 0],
  '-': [0, 0, 0, 31, 0, 0, 0],
  '+': [0, 4, 4, 31, 4, 4, 0],
  e: [0, 0, 14, 17, 31, 16, 14],
  k: [16, 16, 18, 20, 24, 20, 18],
  M: [17, 27, 21, 21, 17, 17, 17],
  G: [14, 17, 16, 23, 17, 17, 15],
  T: [31, 4, 4, 4, 4, 4, 4],
};

const WIDTH = 5;
export const GLYPH_HEIGHT = 7;
const ADVANCE = WIDTH + 1;

/** Pixels across. */
export function textWidth(text: string): number {
  return text.length * ADVANCE - 1;
}

/** Calls `dot` for each pixel of a text, counted from its top left; characters without a glyph are blanks. */
export function eachDot(text: string, dot: (x: number, y: number) => void): void {
  [...text].forEach((character, i) => {
    GLYPHS[character]?.forEach((row, y) => {
      for (let x = 0; x < WIDTH; x++) if (row & (16 >> x)) dot(i * ADVANCE + x, y);
    });
  });
}
