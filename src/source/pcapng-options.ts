/**
 * Options at the end of pcapng blocks (draft-ietf-opsawg-pcapng, section 3.5), in any order, each padded to 4 bytes:
 *
 *     code 2 | length 2 | value
 */
export const END_OF_OPTIONS = 0;

/** Options of a private enterprise begin with its number. */
const CUSTOM = new Set([2988, 2989, 19372, 19373]);
const ENTERPRISE_BYTES = 4;

/** Takes an option, its value at `at` of the view; says what is wrong with it, or null. */
export type OptionVisitor = (code: number, at: number, length: number, view: DataView) => string | null;

/** For blocks whose options only have to be sound. */
export const anyOption: OptionVisitor = () => null;

/** Shows each option between `at` and `end`; what is wrong with them, or null. */
export function walkOptions(
  view: DataView,
  at: number,
  end: number,
  littleEndian: boolean,
  visit: OptionVisitor,
): string | null {
  let next = at;
  while (next < end) {
    if (end - next < 4) return 'an option is cut short';
    const code = view.getUint16(next, littleEndian);
    const length = view.getUint16(next + 2, littleEndian);
    const padded = (length + 3) & ~3;
    if (padded > end - next - 4) return `option ${code} claims ${length} bytes, more than its block has left`;
    if (code === END_OF_OPTIONS) return null;
    if (CUSTOM.has(code) && length < ENTERPRISE_BYTES) return `custom option ${code} is too short`;
    const problem = visit(code, next + 4, length, view);
    if (problem !== null) return problem;
    next += 4 + padded;
  }
  return null;
}

/** A 64-bit number in the byte order of the section (options; packet times have their high word first in both). */
export function readUint64(view: DataView, at: number, littleEndian: boolean): number {
  const high = view.getUint32(littleEndian ? at + 4 : at, littleEndian);
  return high * 2 ** 32 + view.getUint32(littleEndian ? at : at + 4, littleEndian);
}

export function readInt64(view: DataView, at: number, littleEndian: boolean): number {
  const high = view.getInt32(littleEndian ? at + 4 : at, littleEndian);
  return high * 2 ** 32 + view.getUint32(littleEndian ? at : at + 4, littleEndian);
}
