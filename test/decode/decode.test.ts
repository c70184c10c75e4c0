import { describe, expect, it } from 'vitest';
import * as R from '../../src/model/packet-rows.ts';
import { decodeFrames, hex } from './frames.ts';

const MACS = '0200 0000 0002 0200 0000 0001';
const TCP_SYN = '04d2 0050 00000001 00000000 5002 ffff 0000 0000';

/** IPv4 header without options: total length, flags and fragment offset, protocol; 192.0.2.1 to 192.0.2.2. */
const ipv4 = (total: string, fragment: string, protocol: string): string =>
  `4500 ${total} 1234 ${fragment} 40 ${protocol} 0000 c0000201 c0000202`;

describe('decoder', () => {
  it('reads Ethernet, IPv4 and TCP', () => {
    const { rows, causes } = decodeFrames([hex(`${MACS} 0800 ${ipv4('0028', '4000', '06')} ${TCP_SYN} 000000000000`)]);
    expect(rows[0]).toMatchObject({
      src: '192.0.2.1',
      dst: '192.0.2.2',
      protocol: 6,
      ports: '1234>80',
      bytes: 40,
      wire: 60,
      flags: 2,
      vlan: -1,
      layers: 'eth ipv4 tcp',
    });
    expect(rows[0].meta & R.HAS_PAYLOAD).toBe(0);
    expect(causes).toEqual({});
  });

  it('keys on the outermost VLAN tag and shows all of them', () => {
    const inner = `0800 ${ipv4('0028', '4000', '06')} ${TCP_SYN}`;
    const { rows } = decodeFrames([hex(`${MACS} 8100 2007 ${inner}`), hex(`${MACS} 88a8 0005 8100 0007 ${inner}`)]);
    expect(rows.map((row) => [row.vlan, row.layers])).toEqual([
      [7, 'eth vlan:7 ipv4 tcp'],
      [5, 'eth vlan:5 vlan:7 ipv4 tcp'],
    ]);
  });

  it('counts the frame from the IP header on where segmentation offload left the length zero', () => {
    const { rows } = decodeFrames([
      { bytes: hex(`${MACS} 0800 ${ipv4('0000', '4000', '06')} ${TCP_SYN}`), wireLength: 3000 },
    ]);
    expect(rows[0]).toMatchObject({ bytes: 2986, ports: '1234>80' });
    expect(rows[0].meta & R.HAS_PAYLOAD).toBe(R.HAS_PAYLOAD);
  });

  it('gives later fragments the ports of the first, none to one that comes before it', () => {
    const later = hex(`${MACS} 0800 ${ipv4('001c', '0002', '11')} 0000000000000000`);
    const first = hex(`${MACS} 0800 ${ipv4('0024', '2000', '11')} 0035 c000 0018 0000 0000000000000000`);
    const { rows, causes } = decodeFrames([later, first, later]);
    expect(rows.map((row) => [row.ports, row.bytes, row.meta & R.IS_LATER_FRAGMENT])).toEqual([
      [null, 28, R.IS_LATER_FRAGMENT],
      ['53>49152', 36, 0],
      ['53>49152', 28, R.IS_LATER_FRAGMENT],
    ]);
    expect(causes).toEqual({ fragment_first_missing: 1 });
  });

  it('makes a row of every packet', () => {
    const { rows, causes } = decodeFrames([
      new Uint8Array(0),
      { bytes: hex('00'), linkType: 147 },
      hex(`${MACS} 0806 0001 0800 06 04 0002 020000000001 c0000201 020000000002 c0000202`),
    ]);
    expect(rows.map((row) => [row.protocol, row.src, row.layers, row.wire])).toEqual([
      [null, null, '', 0],
      [null, null, '', 1],
      [null, '192.0.2.1', 'eth arp', 42],
    ]);
    expect(causes).toEqual({ short: 1, link_type: 1 });
  });
});
