const END_OF_RECORDS = 0;
const IPV4 = 1;
const IPV6 = 2;

/**
 * Checks the records of a name resolution block (draft-ietf-opsawg-pcapng, section 4.5), `type 2 | length 2 | value`:
 * weir takes no names from it, but a broken one means that the bytes after it cannot be trusted. Returns where its
 * options begin, or what is wrong.
 */
export function skipNameRecords(view: DataView, at: number, end: number, littleEndian: boolean): number | string {
  let next = at;
  while (end - next >= 4) {
    const type = view.getUint16(next, littleEndian);
    const length = view.getUint16(next + 2, littleEndian);
    next += 4;
    const padded = (length + 3) & ~3;
    if (padded > end - next) return 'a name record reaches past its block';
    if (type === END_OF_RECORDS) return next;
    const address = type === IPV4 ? 4 : type === IPV6 ? 16 : -1;
    if (length < address) return 'a name record is too short for its address';
    if (address > 0 && length > address && view.getUint8(next + length - 1) !== 0) return 'a name has no end';
    next += padded;
  }
  return next;
}
