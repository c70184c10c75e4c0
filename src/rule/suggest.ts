/** The nearest of `known` to a mistyped name, or null when none is near (Damerau-Levenshtein, adjacent swaps). */
export function nearest(text: string, known: Iterable<string>): string | null {
  let best: string | null = null;
  let least = Math.max(1, Math.floor(text.length / 3)) + 1;
  for (const name of known) {
    const steps = distance(text.toLowerCase(), name.toLowerCase(), least);
    if (steps < least) {
      least = steps;
      best = name;
    }
  }
  return best;
}

/** `did you mean X?`, or, when nothing is near and the list is short, what there is. */
export function suggestion(text: string, known: Iterable<string>): string | undefined {
  const names = [...known];
  const near = nearest(text, names);
  if (near) return `did you mean ${near}?`;
  return names.length > 0 && names.length <= 12 ? `known: ${names.join(', ')}` : undefined;
}

function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(change, above[j] + 1, row[j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    before = above;
    above = row;
  }
  return above[b.length];
}
