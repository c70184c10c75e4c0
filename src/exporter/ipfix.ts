import type { DatagramReader } from './datagram.ts';
import type { FlowSets, SetFormat } from './flow-sets.ts';
import { looksLikeSet } from './flow-sets.ts';

/**
 * IPFIX, RFC 7011, section 3.1:
 *
 *      0  version = 10   2  length of the message, with this header
 *      4  export time, s 8  sequence: data records sent before this message
 *     12  observation domain id
 *     16  Sets: id, length, records (section 3.3)
 *
 * Template record (section 3.4.1): id, field count, then field specifiers (`TemplateReader.ipfixFields`). Options
 * template (section 3.4.2): id, field count, scope field count, then the fields, scopes first.
 */
export const IPFIX_HEADER = 16;

export const IPFIX: SetFormat = {
  templateSet: 2,
  optionsTemplateSet: 3,
  templateFields: (reader) => reader.ipfixFields(reader.u16()),
  optionsFields(reader) {
    const count = reader.u16();
    if (count === 0) return { fields: [], scopes: 0 };
    if (reader.left < 2) return null;
    const scopes = reader.u16();
    const fields = reader.ipfixFields(count);
    return fields === null || scopes > count ? null : { fields, scopes };
  },
};

/** Reads a message whose first two bytes are 10. @returns false when it is none of IPFIX */
export function readIpfix(sets: FlowSets, d: DatagramReader): boolean {
  const { view, from } = d;
  if (d.to - from < IPFIX_HEADER) return false;
  const length = view.getUint16(from + 2);
  const to = Math.min(d.to, from + length);
  if (length < IPFIX_HEADER || (length > IPFIX_HEADER && !looksLikeSet(IPFIX, view, from + IPFIX_HEADER, to)))
    return false;
  if (length > d.to - from) d.truncated();
  const context = d.begin(10, view.getUint32(from + 12), view.getUint32(from + 4) * 1e6, Number.NaN);
  const records = sets.read(IPFIX, d.data, view, from + IPFIX_HEADER, to, context);
  d.sequence(view.getUint32(from + 8), records, 1);
  return true;
}
