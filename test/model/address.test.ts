import { BlockList, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareAddresses,
  formatAddress,
  formatPrefix,
  inPrefix,
  parseAddress,
  parsePrefix,
} from '../../src/model/address.ts';

const words = (text: string): Int32Array => {
  const out = new Int32Array(4);
  if (!parseAddress(text, out)) throw new Error(`no address: ${text}`);
  return out;
};

describe('addresses', () => {
  it('gives back IPv4 as it was', () => {
    fc.assert(fc.property(fc.ipV4(), (text) => formatAddress(words(text)) === text));
  });

  it('gives back IPv6 in the form of RFC 5952, as node:net does', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const expected = new SocketAddress({ address: text, family: 'ipv6' }).address;
        if (/^::ffff:\d+\./.test(expected)) return formatAddress(words(text)) === expected.slice(7);
        if (/^::\d+\.\d+\.\d+\.\d+$/.test(expected)) return true; // the deprecated IPv4-compatible form
        return formatAddress(words(text)) === expected;
      }),
    );
  });

  it.each([
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::0:1', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:db8:1:1:1:1:0:1', '2001:db8:1:1:1:1:0:1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('reads %s as %s', (text, expected) => {
    expect(formatAddress(words(text))).toBe(expected);
  });

  it.each(['', '1.2.3', '1.2.3.4.5', '256.1.1.1', 'fe80::1%eth0', 'g::1', '1:2:3'])('refuses %s', (text) => {
    expect(parseAddress(text, new Int32Array(4))).toBe(false);
  });
});

describe('prefixes', () => {
  it('agree with node:net BlockList, IPv4 and IPv6', () => {
    const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4(), fc.constant('ipv4' as const));
    const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 }), fc.ipV6(), fc.constant('ipv6' as const));
    fc.assert(
      fc.property(fc.oneof(v4, v6), fc.boolean(), ([net, bits, other, family], same) => {
        const address = same ? net : other;
        if (family === 'ipv6' && (address.startsWith('::ffff:') || net.startsWith('::ffff:'))) return true;
        const list = new BlockList();
        list.addSubnet(net, bits, family);
        return inPrefix(parsePrefix(`${net}/${bits}`)!, words(address), 0) === list.check(address, family);
      }),
    );
  });

  it('clears host bits and prints the length of its own family', () => {
    expect(formatPrefix(parsePrefix('192.0.2.77/24')!)).toBe('192.0.2.0/24');
    expect(formatPrefix(parsePrefix('2001:db8::77/32')!)).toBe('2001:db8::/32');
    expect(formatPrefix(parsePrefix('192.0.2.7')!)).toBe('192.0.2.7/32');
  });

  it.each(['192.0.2.0/33', '2001:db8::/129', '192.0.2.0/', '192.0.2.0/x', 'net/8', '192.0.2.0/-1'])(
    'refuses %s',
    (text) => {
      expect(parsePrefix(text)).toBeNull();
    },
  );

  it('orders addresses by their unsigned words', () => {
    expect(compareAddresses(words('10.0.0.1'), 0, words('200.0.0.1'), 0)).toBe(-1);
    expect(compareAddresses(words('2001:db8::1'), 0, words('10.0.0.1'), 0)).toBe(1);
    expect(compareAddresses(words('10.0.0.1'), 0, words('10.0.0.1'), 0)).toBe(0);
  });
});
