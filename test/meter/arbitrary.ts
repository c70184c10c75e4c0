import fc from 'fast-check';
import type { Packet } from './packets.ts';

const IPV4 = ['10.0.0.1', '10.0.0.2', '192.0.2.200'];
const IPV6 = ['2001:db8::1', '2001:db8::2', 'fe80::1'];
const PORTS = [53, 80, 40000];
const FLAGS = ['S', 'SA', 'A', 'PA', 'FA', 'R', 'RA', '', 'SF'];

const endpoints = fc
  .tuple(fc.boolean(), fc.nat(2), fc.nat(2), fc.constantFrom(...PORTS), fc.constantFrom(...PORTS))
  .map(([six, a, b, sport, dport]) => ({ src: (six ? IPV6 : IPV4)[a], dst: (six ? IPV6 : IPV4)[b], sport, dport }));
const tcp = fc.record({ proto: fc.constant(6), flags: fc.constantFrom(...FLAGS), payload: fc.boolean() });
const udp = fc.record({
  proto: fc.constant(17),
  answer: fc.boolean(),
  payload: fc.boolean(),
  dns: fc.constantFrom(0, 0, 1, 2),
  dnsType: fc.constantFrom(1, 28),
});
const common = fc.record({
  bytes: fc.constantFrom(40, 1500, 65535, 4294967295),
  vlan: fc.constantFrom(-1, -1, 7),
  interface: fc.constantFrom(0, 0, 1),
});

const withPorts = fc.tuple(endpoints, fc.oneof(tcp, udp)).map(([a, b]) => ({ ...a, ...b }));
const icmp = fc
  .tuple(endpoints, fc.constantFrom(0, 3, 8, 135, 136), fc.boolean())
  .map(([ends, type, answer]): Omit<Packet, 'at'> => {
    const { src, dst } = ends;
    const proto = src.includes(':') ? 58 : 1;
    return { src, dst, proto, icmp: [type, 0], answer, icmpError: type === 3 };
  });
const other = fc.tuple(endpoints, fc.constantFrom(47, 50)).map(([{ src, dst }, proto]) => ({ src, dst, proto }));
const arp = fc.tuple(fc.nat(2), fc.nat(2)).map(([a, b]) => ({ src: IPV4[a], dst: IPV4[b], arp: true, proto: 0 }));
const bare = fc
  .tuple(fc.nat(2), fc.nat(2), fc.constantFrom(1, 2))
  .map(([a, b, layers]): Omit<Packet, 'at'> => ({ bare: true, proto: 0, mac: [a + 1, b + 1], layers }));

/** Any packet but for its time. */
export const packet = fc
  .tuple(common, fc.oneof({ weight: 6, arbitrary: withPorts }, icmp, other, arp, bare))
  .map(([a, b]): Omit<Packet, 'at'> => ({ ...a, ...b }));
const gap = fc.constantFrom(0, 0.000001, 0.01, 0.01, 0.3, 0.999999, 1, 2.5, 5, 5.000001, 15, 15.000001, 40);

/** Packets in order of time: whole microseconds, so that an oracle's seconds are the meter's. */
export const inOrder = fc.array(fc.tuple(packet, gap), { maxLength: 120 }).map((items) => {
  let us = 100_000_000;
  return items.map(([p, gapSeconds]): Packet => {
    us += Math.round(gapSeconds * 1e6);
    return { ...p, at: us / 1e6 };
  });
});

/** Packets in any order, with times that are none. */
export const anyTime = fc
  .array(
    fc.tuple(packet, fc.oneof(fc.integer({ min: 0, max: 60 }), fc.constantFrom(Number.NaN, -5, 1e12, 4e9, 2 ** 53))),
    { maxLength: 200 },
  )
  .map((items) => items.map(([p, at]): Packet => ({ ...p, at })));
