import { type FieldValue, fieldValue } from './field-value.ts';
import type { Places } from './row-writer.ts';
import type { Template } from './template.ts';

/** Information elements of a record by name, unscaled. */
export type Elements = Record<string, FieldValue>;

/** A repeated element is an array in wire order; a field without bytes has no value. */
export function addElement(elements: Elements, name: string, value: FieldValue): void {
  const known = elements[name];
  if (known === undefined) elements[name] = value;
  else if (Array.isArray(known)) known.push(value);
  else elements[name] = [known, value];
}

export function recordElements(template: Template, data: Uint8Array, places: Places): Elements {
  const elements: Elements = {};
  const { fields } = template;
  for (let i = 0; i < fields.length; i++) {
    const length = places.length[i];
    if (length > 0 && fields[i].name !== '')
      addElement(elements, fields[i].name, fieldValue(fields[i].type, data, places.at[i], length));
  }
  return elements;
}
