import type { Packet } from './packets.ts';

/**
 * The meter's rules written down once more, slowly: a Map of text keys, objects, no ticks. For packets in order of
 * time; times inside are whole microseconds.
 */
export interface NaiveFlow {
  key: string;
  initiator: string;
  start: number;
  end: number;
  packets: Record<string, number>;
  bytes: Record<string, number>;
  first: boolean;
  unasked: boolean;
  established: boolean;
  reason: number;
}

interface Open {
  record: NaiveFlow;
  slice: NaiveFlow | null;
  sliceDns: string;
  fin: Set<string>;
  wentOn: Set<string>;
  closed: boolean;
  firstSliceDue: boolean;
  openedByOther: boolean;
}

const PAIRS: Record<string, number> = { '4:8': 0, '4:0': 8, '6:128': 129, '6:129': 128, '6:135': 136, '6:136': 135 };

const isTcp = (p: Packet): boolean => !p.bare && !p.arp && (p.proto ?? 6) === 6;
const has = (p: Packet, letter: string): boolean => isTcp(p) && (p.flags ?? '').includes(letter);
const isAnswer = (p: Packet): boolean =>
  isTcp(p) ? has(p, 'R') || (has(p, 'S') && has(p, 'A')) : p.answer === true || p.icmpError === true;
const goesOn = (p: Packet): boolean => {
  if (isTcp(p)) return !has(p, 'R') && (has(p, 'A') || p.payload === true);
  return p.bare || p.arp || p.proto !== 17 ? true : (p.payload ?? true);
};

/** The sender's end, and a key that both directions share unless the message stands alone. */
function identify(p: Packet): { key: string; end: string } {
  const place = `vlan ${p.vlan ?? -1} if ${p.interface ?? 0}`;
  if (p.bare) {
    const [a, b] = (p.mac ?? [0, 0]).map(String);
    return { key: `${[a, b].sort().join(' ')} layers ${p.layers ?? 1} ${place}`, end: a };
  }
  const version = p.src?.includes(':') ? 6 : 4;
  const kind = p.arp ? 'arp' : `proto ${p.proto ?? 6}${p.icmpError ? ' error' : ''}`;
  let a = p.src ?? '10.0.0.1';
  let b = p.dst ?? '10.0.0.2';
  if (p.icmp) {
    const pair = PAIRS[`${version}:${p.icmp[0]}`];
    if (pair === undefined) return { key: `${a} > ${b} ${kind} ${p.icmp} ${place}`, end: a };
    a += ` ${p.icmp[0]}`;
    b += ` ${pair}`;
  } else if (p.sport !== undefined && !p.arp) {
    a += ` ${p.sport}`;
    b += ` ${p.dport}`;
  }
  return { key: `${[a, b].sort().join(' - ')} ${kind} ${place}`, end: a };
}

export function naiveMeter(
  packets: readonly Packet[],
  idleUs: number,
  activeUs: number,
): { records: NaiveFlow[]; slices: NaiveFlow[] } {
  const flows = new Map<string, Open>();
  const records: NaiveFlow[] = [];
  const slices: NaiveFlow[] = [];
  let clock = 0;

  const fresh = (key: string, initiator: string, at: number): NaiveFlow => ({
    key,
    initiator,
    start: at,
    end: at,
    packets: {},
    bytes: {},
    first: false,
    unasked: false,
    established: false,
    reason: 0,
  });
  const closeSlice = (open: Open): void => {
    if (!open.slice) return;
    const { initiator, unasked } = open.record;
    slices.push({ ...open.slice, initiator, unasked, established: open.wentOn.size > 1, first: open.firstSliceDue });
    open.firstSliceDue = false;
    open.slice = null;
  };
  const closeRecord = (open: Open, reason: number): void => {
    closeSlice(open);
    records.push({ ...open.record, established: open.wentOn.size > 1, reason });
  };

  for (const packet of packets) {
    const p = { ...packet, at: Math.round(packet.at * 1e6) };
    clock = p.at;
    const { key, end } = identify(p);
    let open = flows.get(key);
    if (open) {
      const silent = p.at - open.record.end;
      const reopened = open.closed && has(p, 'S') && !has(p, 'A') && !has(p, 'R');
      if (silent > (open.closed ? Math.floor(idleUs / 3) : idleUs) || reopened) {
        closeRecord(open, open.closed ? 3 : 1);
        open = undefined;
      } else if (p.at - open.record.start > activeUs) {
        closeRecord(open, 2);
        const { unasked, initiator } = open.record;
        open.record = { ...fresh(key, initiator, p.at), unasked };
      }
    }
    if (!open) {
      const record = { ...fresh(key, end, p.at), first: true, unasked: isAnswer(p) };
      open = {
        record,
        slice: null,
        sliceDns: '',
        fin: new Set(),
        wentOn: new Set(),
        closed: false,
        firstSliceDue: true,
        openedByOther: has(p, 'S') && has(p, 'A') && !has(p, 'R'),
      };
      flows.set(key, open);
    }
    const { record } = open;
    if (open.slice) {
      const sameSecond = Math.floor(open.slice.start / 1e6) === Math.floor(p.at / 1e6);
      const held = open.firstSliceDue && !open.closed && p.at - record.start < 1e6;
      if (!sameSecond && !held) closeSlice(open);
    }
    const dns = p.dns ? `${p.dns} ${p.dnsType ?? 0}` : '';
    if (open.slice && dns !== '' && open.sliceDns !== '' && open.sliceDns !== dns) closeSlice(open);
    if (!open.slice) {
      open.slice = fresh(key, record.initiator, p.at);
      open.sliceDns = '';
    }
    if (dns !== '') open.sliceDns = dns;
    if (record.unasked && end !== record.initiator && !isAnswer(p)) {
      if (open.openedByOther) record.initiator = end;
      record.unasked = false;
    }
    if (has(p, 'F')) open.fin.add(end);
    if (has(p, 'R') || open.fin.size > 1) open.closed = true;
    if (goesOn(p)) open.wentOn.add(end);
    for (const row of [record, open.slice]) {
      row.end = p.at;
      row.packets[end] = (row.packets[end] ?? 0) + 1;
      row.bytes[end] = (row.bytes[end] ?? 0) + (p.bytes ?? 40);
    }
  }
  for (const open of flows.values()) {
    const silent = clock - open.record.end > idleUs;
    closeRecord(open, open.closed ? 3 : silent ? 1 : 4);
  }
  return { records, slices };
}
