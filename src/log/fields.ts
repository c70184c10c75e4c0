/** Numbers of a log row before they are columns: places in `LogRow.values`. NaN is "not said". */
export const START = 0;
export const END = 1;
export const DURATION = 2;
export const PACKETS = 3;
export const OCTETS = 4;
export const LAYER2 = 5;
export const R_PACKETS = 6;
export const R_OCTETS = 7;
export const R_LAYER2 = 8;
export const SOURCE_PORT = 9;
export const DESTINATION_PORT = 10;
export const PROTOCOL = 11;
export const FLAGS = 12;
export const R_FLAGS = 13;
export const TOS = 14;
export const VLAN = 15;
export const IN_IF = 16;
export const OUT_IF = 17;
export const SOURCE_AS = 18;
export const DESTINATION_AS = 19;
export const SOURCE_MAC = 20;
export const DESTINATION_MAC = 21;
export const ICMP_TYPE = 22;
export const ICMP_CODE = 23;
export const SAMPLING = 24;
export const DOMAIN = 25;
export const EXPORTER = 26;
export const END_REASON = 27;
/** 1 when the address was read; the words are in `LogRow.addresses` at 4 * (field - SOURCE). */
export const SOURCE = 28;
export const DESTINATION = 29;
export const OUTER_SOURCE = 30;
export const OUTER_DESTINATION = 31;
/** What kind of record it is, as an index into the column's words. */
export const KIND = 32;
/** A second such word, for dialects that have one. */
export const STATE = 33;
/** Zeek's history, packed (`zeek-history.ts`). */
export const HISTORY = 34;
/** 1 when the dialect says which side opened the flow. */
export const OPENER = 35;
/** 1 when the log says that a filter let none of it through. */
export const REFUSED = 36;
export const FIELD_COUNT = 37;

/** How a value is written. */
export const COUNT = 0;
export const TIME = 1;
export const NANOSECONDS = 2;
export const SECONDS = 3;
export const SPAN = 4;
export const ADDRESS = 5;
export const PORT = 6;
export const PROTOCOL_NAME = 7;
export const FLAG_LETTERS = 8;
export const FLAG_HEX = 9;
export const MAC = 10;
export const NAME = 11;
export const WORD = 12;
export const HISTORY_LETTERS = 13;
export const TIME_OR_MASK = 14;

/** Where a column of a log goes. */
export interface Column {
  readonly field: number;
  readonly syntax: number;
  /** The words that a `WORD` may be: the value is the index, -1 for any other. */
  readonly words: readonly string[];
  /** Numbers are multiplied by it. */
  readonly scale: number;
}

export function column(
  field: number,
  syntax: number,
  options: { words?: readonly string[]; scale?: number } = {},
): Column {
  return { field, syntax, words: options.words ?? [], scale: options.scale ?? 1 };
}
