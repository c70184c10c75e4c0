import type { DatagramReader } from './datagram.ts';
import type { FlowSets, SetFormat } from './flow-sets.ts';
import { looksLikeSet } from './flow-sets.ts';

/**
 * NetFlow version 9, RFC 3954, section 5.1:
 *
 *      0  version = 9    2  count of records (all kinds)
 *      4  sysUptime, ms  8  unixSecs
 *     12  sequence, one a datagram   16  source id
 *     20  FlowSets: id, length, records (section 5.2 to 5.3)
 *
 * Template record: id, field count, then type and length a field. Options template (section 6.1): id, bytes of scope
 * fields, bytes of option fields, then the fields. Exporters disagree on what the header counts: it is no limit here.
 */
const HEADER = 20;

export const NETFLOW_V9: SetFormat = {
  templateSet: 0,
  optionsTemplateSet: 1,
  templateFields: (reader) => reader.v9Fields(reader.u16()),
  optionsFields(reader) {
    if (reader.left < 4) return null;
    const scopes = reader.u16() >> 2;
    const options = reader.u16() >> 2;
    const scopeFields = reader.v9Scopes(scopes);
    const optionFields = scopeFields === null ? null : reader.v9Fields(options);
    return scopeFields === null || optionFields === null ? null : { fields: [...scopeFields, ...optionFields], scopes };
  },
};

/** Reads a datagram whose first two bytes are 9. @returns false when it is none of v9 */
export function readNetflowV9(sets: FlowSets, d: DatagramReader): boolean {
  const { view, from, to } = d;
  if (to - from < HEADER || !looksLikeSet(NETFLOW_V9, view, from + HEADER, to)) return false;
  const context = d.begin(9, view.getUint32(from + 16), view.getUint32(from + 8) * 1e6, view.getUint32(from + 4));
  const records = sets.read(NETFLOW_V9, d.data, view, from + HEADER, to, context);
  d.sequence(view.getUint32(from + 12), 1, records);
  return true;
}
