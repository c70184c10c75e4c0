import { ELEMENT_TABLE } from './element-table.ts';

/** Abstract data types of RFC 7012, section 3.1, and of RFC 6313 (structured data). */
export type ElementType =
  | 'octetArray'
  | 'unsigned8'
  | 'unsigned16'
  | 'unsigned32'
  | 'unsigned64'
  | 'unsigned256'
  | 'signed8'
  | 'signed16'
  | 'signed32'
  | 'signed64'
  | 'float32'
  | 'float64'
  | 'boolean'
  | 'macAddress'
  | 'string'
  | 'dateTimeSeconds'
  | 'dateTimeMilliseconds'
  | 'dateTimeMicroseconds'
  | 'dateTimeNanoseconds'
  | 'ipv4Address'
  | 'ipv6Address'
  | 'basicList'
  | 'subTemplateList'
  | 'subTemplateMultiList';

export interface Element {
  name: string;
  type: ElementType;
}

/** Reverse elements of biflows carry this enterprise number (RFC 5103, section 6.1). */
export const REVERSE_PEN = 29305;
/** Scope fields of NetFlow v9 are numbered by themselves (RFC 3954, section 6.1). */
export const SCOPE_PEN = -1;

const SCOPES = ['', 'scopeSystem', 'scopeInterface', 'scopeLineCard', 'scopeCache', 'scopeTemplate'];

const BY_ID = new Map<number, Element>();
const BY_NAME = new Map<string, number>();
for (const word of ELEMENT_TABLE.split(' ')) {
  const [id, name, type] = word.split(':');
  BY_ID.set(Number(id), { name, type: type as ElementType });
  BY_NAME.set(name, Number(id));
}

/** IANA's number of an element. Throws for a name that the registry does not have: only names in our own source come here. */
export function elementId(name: string): number {
  const id = BY_NAME.get(name);
  if (id === undefined) throw new RangeError(`no information element is named ${name}`);
  return id;
}

/** Name and type; what IANA does not name is `PEN:id`, bytes of unknown meaning. */
export function elementOf(pen: number, id: number): Element {
  if (pen === 0) return BY_ID.get(id) ?? { name: `0:${id}`, type: 'octetArray' };
  if (pen === SCOPE_PEN) return scopeOf(id);
  const forward = pen === REVERSE_PEN ? BY_ID.get(id) : undefined;
  if (forward === undefined) return { name: `${pen}:${id}`, type: 'octetArray' };
  return { name: `reverse${forward.name[0].toUpperCase()}${forward.name.slice(1)}`, type: forward.type };
}

/** Some exporters scope by ordinary elements: what is no scope of v9 is one of those. */
function scopeOf(id: number): Element {
  const name = SCOPES[id];
  return name ? { name, type: 'unsigned32' } : elementOf(0, id);
}
