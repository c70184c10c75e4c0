import { elementId } from './elements.ts';
import { type Field, makeField, makeTemplate, padding, type Template } from './template.ts';

/** A layout of named fields: `[name, bytes]`; without a name the bytes mean nothing. */
export function fixedTemplate(layout: readonly (readonly [name: string, bytes: number])[]): Template {
  const fields: Field[] = layout.map(([name, bytes]) =>
    name === '' ? padding(bytes) : makeField(0, elementId(name), bytes),
  );
  return makeTemplate(0, fields, 0, false);
}

/** What records of v1, v5 and v7 begin with (40 of their bytes). */
export const FIXED_START = [
  ['sourceIPv4Address', 4],
  ['destinationIPv4Address', 4],
  ['ipNextHopIPv4Address', 4],
  ['ingressInterface', 2],
  ['egressInterface', 2],
  ['packetDeltaCount', 4],
  ['octetDeltaCount', 4],
  ['flowStartSysUpTime', 4],
  ['flowEndSysUpTime', 4],
  ['sourceTransportPort', 2],
  ['destinationTransportPort', 2],
] as const;

/** `unixSecs` and `unixNsecs` at `at`, microseconds. */
export function headerTimeUs(view: DataView, at: number): number {
  return view.getUint32(at) * 1e6 + Math.floor(view.getUint32(at + 4) / 1000);
}
