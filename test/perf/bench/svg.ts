export interface Curve {
  name: string;
  points: { x: number; y: number }[];
}

const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 56;
const BOTTOM = 280;
const COLOURS = ['#1f6feb', '#d1242f'];

/** Curves over a logarithmic axis, as a picture of its own. */
export function svgCurve(title: string, curves: Curve[]): string {
  const all = curves.flatMap(({ points }) => points);
  const decades = Math.ceil(Math.log10(Math.max(...all.map(({ x }) => x))));
  const top = 100 * Math.ceil(Math.max(...all.map(({ y }) => y)) / 100);
  const px = (x: number): string => (LEFT + ((WIDTH - LEFT - 16) * Math.log10(x)) / decades).toFixed(1);
  const py = (y: number): string => (BOTTOM - ((BOTTOM - 48) * y) / top).toFixed(1);
  const marks = Array.from({ length: decades + 1 }, (_, d) => 10 ** d).map(
    (x) =>
      `<text x="${px(x)}" y="${BOTTOM + 18}" text-anchor="middle">${x.toLocaleString('en', { notation: 'compact' })}</text>`,
  );
  const lines = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<path d="M${LEFT} ${py(share * top)}H${WIDTH - 16}" stroke="#ccc"/><text x="${LEFT - 6}" y="${py(share * top)}" text-anchor="end">${share * top}</text>`,
  );
  const drawn = curves.map(({ name, points }, i) => {
    const path = points.map(({ x, y }, k) => `${k === 0 ? 'M' : 'L'}${px(x)} ${py(y)}`).join('');
    const dots = points.map(({ x, y }) => `<circle cx="${px(x)}" cy="${py(y)}" r="3" fill="${COLOURS[i]}"/>`).join('');
    return `<path d="${path}" fill="none" stroke="${COLOURS[i]}" stroke-width="2"/>${dots}<text x="${LEFT + 8 + 260 * i}" y="40" fill="${COLOURS[i]}">${name}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/><text x="${LEFT}" y="20" font-size="14">${title}</text>`,
    ...lines,
    ...marks,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}
