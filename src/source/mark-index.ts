import { beginsAs, type FileMark, type Head, printOf } from './file-mark.ts';

/** Marks by what their files begin with: one digest a length of print, not one a mark, tells whom a file is like. */
export class MarkIndex {
  readonly #byLength = new Map<number, Map<string, Set<FileMark>>>();

  constructor(marks: readonly FileMark[]) {
    for (const mark of marks) this.add(mark);
  }

  /** A mark is added again when its print became another. */
  add(mark: FileMark): void {
    const { length, sum } = mark.print;
    const bySum = this.#byLength.get(length) ?? new Map<string, Set<FileMark>>();
    const marks = bySum.get(sum) ?? new Set<FileMark>();
    this.#byLength.set(length, bySum.set(sum, marks.add(mark)));
  }

  beginningAs(head: Head): FileMark[] {
    const alike = new Set<FileMark>();
    for (const [length, bySum] of this.#byLength) {
      if (length > head.bytes.length) continue;
      for (const mark of bySum.get(printOf(head.bytes, length).sum) ?? []) if (beginsAs(head, mark)) alike.add(mark);
    }
    return [...alike];
  }
}
