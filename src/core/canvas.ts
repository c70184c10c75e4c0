import { encodePng } from './png.ts';
import { eachDot } from './tiny-font.ts';

export type Colour = readonly [number, number, number];

/** Pixels to draw on; (0, 0) is the top left. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly #rgb: Uint8Array;

  constructor(width: number, height: number, background: Colour) {
    this.width = width;
    this.height = height;
    this.#rgb = new Uint8Array(width * height * 3);
    for (let i = 0; i < this.#rgb.length; i++) this.#rgb[i] = background[i % 3];
  }

  /** Lays `colour` over a pixel, `share` 0..1 of it; outside of the canvas it does nothing. */
  blend(x: number, y: number, colour: Colour, share: number): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height || share <= 0) return;
    const at = (y * this.width + x) * 3;
    for (let i = 0; i < 3; i++) this.#rgb[at + i] += (colour[i] - this.#rgb[at + i]) * Math.min(1, share);
  }

  /** Writes numbers and times, `left` and `top` the corner of the first character. */
  text(left: number, top: number, text: string, colour: Colour): void {
    eachDot(text, (x, y) => this.blend(left + x, top + y, colour, 1));
  }

  png(): Buffer {
    return encodePng(this.width, this.height, this.#rgb);
  }
}
