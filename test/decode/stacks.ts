import { expect } from 'vitest';
import { decodeFrames, hex, type ReadableRow } from './frames.ts';

/** A packet with `INNER` or `INNER6` (`packets.ts`) at its end, and the headers around it. */
export type Stack = [name: string, linkType: number, packet: string, layers: string];

/** Decodes the packet of a stack: the row must be that of the SYN at its end, with these layers and no complaint. */
export function expectStack([, linkType, packet, layers]: Stack): ReadableRow {
  const bytes = hex(packet);
  const { rows, causes } = decodeFrames([{ bytes, linkType }]);
  const six = layers.endsWith('ipv6 tcp');
  expect(rows[0]).toMatchObject({
    layers,
    src: six ? '2001:db8::1' : '10.0.0.1',
    dst: six ? '2001:db8::2' : '10.0.0.2',
    protocol: 6,
    ports: '1234>80',
    flags: 2,
    bytes: six ? 60 : 40,
    vlan: Number(/vlan:(\d+)/.exec(layers)?.[1] ?? -1),
    wire: bytes.length,
  });
  expect(causes).toEqual({});
  return rows[0];
}
