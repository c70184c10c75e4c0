/** Builders of packets as hex text, from the inside out. */

/** A number as big-endian hex of `digits` digits. */
export function h(value: number, digits = 4): string {
  return value.toString(16).padStart(digits, '0');
}

/** Bytes in hex text. */
export function sizeOf(text: string): number {
  return text.replaceAll(/\s/g, '').length / 2;
}

export const MACS = '020000000002 020000000001';

/** A SYN from port 1234 to 80. */
export const SYN = '04d20050 00000001 00000000 5002ffff 0000 0000';

export function ip4(protocol: number, payload: string, source = 'c0000201', destination = 'c0000202'): string {
  return `4500 ${h(20 + sizeOf(payload))} 0001 0000 40 ${h(protocol, 2)} 0000 ${source} ${destination} ${payload}`;
}

export function ip6(protocol: number, payload: string): string {
  const addresses = '20010db8000000000000000000000001 20010db8000000000000000000000002';
  return `60000000 ${h(sizeOf(payload))} ${h(protocol, 2)} 40 ${addresses} ${payload}`;
}

export function udp(source: number, destination: number, payload: string): string {
  return `${h(source)} ${h(destination)} ${h(8 + sizeOf(payload))} 0000 ${payload}`;
}

export function eth(type: number, payload: string): string {
  return `${MACS} ${h(type)} ${payload}`;
}

export function snap(type: number, payload: string): string {
  return `aaaa03 000000 ${h(type)} ${payload}`;
}

/** 10.0.0.1 to 10.0.0.2, SYN: what most stacks of the tests carry. */
export const INNER = ip4(6, SYN, '0a000001', '0a000002');
export const INNER6 = ip6(6, SYN);
/** `INNER` in an Ethernet frame. */
export const FRAME = eth(0x0800, INNER);

/** Over UDP and IPv4 in an Ethernet frame. */
export function overUdp(source: number, destination: number, payload: string): string {
  return eth(0x0800, ip4(17, udp(source, destination, payload)));
}

/** Over GRE with these flags and protocol. */
export function overGre(flagsAndProtocol: string, payload: string): string {
  return eth(0x0800, ip4(47, `${flagsAndProtocol} ${payload}`));
}

/** MAC addresses of 802.11, FDDI and token ring frames. */
export const A = '020000000001';
export const B = '020000000002';
export const C = '020000000003';
export const D = '020000000004';
