import { readFileSync } from 'node:fs';

/** ARPHRD_ numbers (linux/if_arp.h) and the LINKTYPE_ of what a raw packet socket gives on them. */
const LINK_TYPES: Readonly<Record<number, number>> = { 1: 1, 772: 1, 512: 9, 801: 105, 802: 119, 803: 127 };
const RAW = 101;
const LOOPBACK = 772;

export interface NetworkInterface {
  index: number;
  linkType: number;
  loopback: boolean;
  up: boolean;
  /** Mbit/s; 0 when nobody knows it. */
  speed: number;
}

/** What the kernel says of an interface; null when there is none of this name. */
export function lookUpInterface(name: string): NetworkInterface | null {
  if (!/^[^/\s]{1,15}$/.test(name)) return null;
  try {
    const read = (what: string): string => readFileSync(`/sys/class/net/${name}/${what}`, 'utf8').trim();
    const type = Number(read('type'));
    const up = (Number.parseInt(read('flags'), 16) & 1) !== 0;
    const index = Number(read('ifindex'));
    return { index, linkType: LINK_TYPES[type] ?? RAW, loopback: type === LOOPBACK, up, speed: speedOf(name) };
  } catch {
    return null;
  }
}

/** Down, and without a cable, an interface says -1 or nothing. */
function speedOf(name: string): number {
  try {
    return Math.max(0, Number(readFileSync(`/sys/class/net/${name}/speed`, 'utf8')) || 0);
  } catch {
    return 0;
  }
}
