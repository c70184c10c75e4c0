const NUMERIC = /^[-+<]?\d+(\.\d+)?( ?[kMGT]?(B|bps|pps)?)?%?$/;

/** Aligned columns for a terminal: numbers to the right, text to the left, two blanks between. */
export function table(header: string[], rows: string[][]): string[] {
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i].length)));
  const right = header.map((_, i) => rows.length > 0 && rows.every((row) => row[i] === '' || NUMERIC.test(row[i])));
  const line = (cells: string[]): string =>
    cells
      .map((cell, i) => (right[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd();
  return [header, ...rows].map(line);
}
