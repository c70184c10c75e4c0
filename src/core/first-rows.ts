/**
 * The first `most` of the rows 0 to `count - 1` in the order of `compare`, in that order: one comparison a row where few rows are
 * asked for of many. `compare` leaves no two rows equal.
 */
export function firstRows(count: number, most: number, compare: (a: number, b: number) => number): number[] {
  const first: number[] = [];
  for (let row = 0; row < count; row++) {
    let place = first.length;
    while (place > 0 && compare(row, first[place - 1]) < 0) place--;
    if (place >= most) continue;
    first.splice(place, 0, row);
    if (first.length > most) first.pop();
  }
  return first;
}
