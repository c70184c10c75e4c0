import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';

/**
 * A seeded capture for benchmarks, with its truth: ten minutes of ordinary flows (heavy-tailed sizes, 14 % IPv6, 7 % VLAN)
 * with a SYN flood, a vertical port scan and a DNS amplification inside. Frames are cut at 96 bytes; headers are real.
 *
 *     node test/perf/generate.ts OUT.pcap PACKETS [SEED]     writes OUT.pcap and OUT.pcap.json
 */
const SPAN_MS = 600_000;
const SNAPLEN = 96;
const START_S = 1_735_689_600;

export interface Truth {
  packets: number;
  wireBytes: number;
  ipBytes: number;
  tcp: number;
  udp: number;
  icmp: number;
  ipv6: number;
  vlan: number;
}

interface Flow {
  ipv6: boolean;
  vlan: number;
  protocol: 6 | 17 | 1;
  source: number;
  destination: number;
  sourcePort: number;
  destinationPort: number;
  packets: number;
  startMs: number;
  gapMs: number;
  kind: 'plain' | 'syn' | 'scan' | 'amplification';
}

/** xorshift128 (Marsaglia 2003): the same numbers on every machine. */
function random(seed: number): () => number {
  let [x, y, z, w] = [seed | 1, 362_436_069, 521_288_629, 88_675_123];
  return () => {
    const t = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
    return (w >>> 0) / 4_294_967_296;
  };
}

const SERVICES: [number, 6 | 17][] = [
  [443, 6],
  [443, 17],
  [80, 6],
  [53, 17],
  [22, 6],
  [123, 17],
  [25, 6],
  [993, 6],
];

function plainFlow(next: () => number): Flow {
  const protocol = next() < 0.02 ? 1 : null;
  const [port, transport] = SERVICES[Math.floor(SERVICES.length * next() ** 2)];
  const packets = Math.max(2, Math.min(20_000, Math.floor(2 / (1 - next()) ** 0.85)));
  const startMs = Math.floor(next() * SPAN_MS * 0.98);
  return {
    ipv6: next() < 0.14,
    vlan: next() < 0.07 ? 100 + Math.floor(next() * 8) : 0,
    protocol: protocol ?? transport,
    source: 0x0a010000 + Math.floor(next() * 4000),
    destination: 0xc6336400 + Math.floor(next() ** 3 * 60_000),
    sourcePort: 1024 + Math.floor(next() * 64_000),
    destinationPort: port,
    packets,
    startMs,
    gapMs: Math.min((SPAN_MS - startMs) / packets, 1 + 200 * next() ** 3),
    kind: 'plain',
  };
}

function attacks(budget: number, next: () => number): Flow[] {
  const flows: Flow[] = [];
  const one = (flow: Partial<Flow>): number =>
    flows.push({
      ipv6: false,
      vlan: 0,
      protocol: 6,
      source: 0,
      destination: 0,
      sourcePort: 0,
      destinationPort: 0,
      packets: 1,
      startMs: 0,
      gapMs: 1,
      kind: 'plain',
      ...flow,
    });
  for (let i = 0; i < budget; i++) {
    const source = Math.floor(next() * 0xdf000000) + 0x01000000;
    one({
      kind: 'syn',
      source,
      destination: 0x0a010203,
      sourcePort: 1024 + (i % 60_000),
      destinationPort: 443,
      startMs: 200_000 + Math.floor(next() * 20_000),
    });
  }
  for (let port = 1; port <= Math.min(budget, 20_000); port++) {
    one({
      kind: 'scan',
      source: 0x2d534009,
      destination: 0x0a000505,
      sourcePort: 40_000,
      destinationPort: port,
      startMs: 300_000 + Math.floor(next() * 30_000),
    });
  }
  for (let i = 0; i < Math.min(budget / 4, 8000); i++) {
    one({
      kind: 'amplification',
      protocol: 17,
      source: 0x08000000 + i * 31,
      destination: 0x0a020009,
      sourcePort: 53,
      destinationPort: 1024 + (i % 5000),
      packets: 4,
      startMs: 400_000 + Math.floor(next() * 30_000),
      gapMs: 50,
    });
  }
  return flows;
}

/** Flows until the packets are enough; attacks are a tenth of them. */
function makeFlows(packets: number, next: () => number): Flow[] {
  const flows = attacks(Math.floor(packets * 0.05), next);
  let total = flows.reduce((sum, flow) => sum + flow.packets, 0);
  while (total < packets) {
    const flow = plainFlow(next);
    flow.packets = Math.min(flow.packets, packets - total);
    flows.push(flow);
    total += flow.packets;
  }
  return flows;
}

/** Packets in order of their millisecond: a stable counting sort over (flow, number in the flow). */
function schedule(flows: Flow[], packets: number): { flow: Int32Array; number: Int32Array; ms: Int32Array } {
  const starts = new Int32Array(SPAN_MS + 2);
  const at = (flow: Flow, k: number) => Math.min(SPAN_MS, flow.startMs + Math.floor(k * flow.gapMs));
  for (const flow of flows) for (let k = 0; k < flow.packets; k++) starts[at(flow, k) + 1]++;
  for (let ms = 0; ms <= SPAN_MS; ms++) starts[ms + 1] += starts[ms];
  const order = { flow: new Int32Array(packets), number: new Int32Array(packets), ms: new Int32Array(packets) };
  flows.forEach((flow, index) => {
    for (let k = 0; k < flow.packets; k++) {
      const ms = at(flow, k);
      const slot = starts[ms]++;
      order.flow[slot] = index;
      order.number[slot] = k;
      order.ms[slot] = ms;
    }
  });
  return order;
}

export function generate(path: string, packets: number, seed = 42): Truth {
  const next = random(seed);
  const flows = makeFlows(packets, next);
  const order = schedule(flows, packets);
  const truth: Truth = { packets: 0, wireBytes: 0, ipBytes: 0, tcp: 0, udp: 0, icmp: 0, ipv6: 0, vlan: 0 };
  const fd = openSync(path, 'w');
  const buffer = Buffer.alloc(1 << 20);
  let used = buffer.writeUInt32LE(0xa1b2c3d4, 0);
  used = buffer.writeUInt32LE(0x00040002, used);
  used = buffer.fill(0, used, used + 8) && used + 8;
  used = buffer.writeUInt32LE(SNAPLEN, used);
  used = buffer.writeUInt32LE(1, used);
  for (let i = 0; i < packets; i++) {
    if (used > buffer.length - 256) {
      writeSync(fd, buffer, 0, used);
      used = 0;
    }
    const micros = (order.ms[i] % 1000) * 1000 + Math.min(999, i & 1023);
    used = frame(
      buffer,
      used,
      flows[order.flow[i]],
      order.number[i],
      START_S + Math.floor(order.ms[i] / 1000),
      micros,
      truth,
    );
  }
  writeSync(fd, buffer, 0, used);
  closeSync(fd);
  return truth;
}

/** One record: header, Ethernet, optional 802.1Q, IP, transport, zeroes up to the snap length. */
function frame(
  out: Buffer,
  at: number,
  flow: Flow,
  number: number,
  seconds: number,
  micros: number,
  truth: Truth,
): number {
  const answer = flow.kind === 'plain' && number % 2 === 1;
  const ipHeader = flow.ipv6 ? 40 : 20;
  const transport = flow.protocol === 6 ? 20 : 8;
  const payload = payloadBytes(flow, number, answer);
  const link = flow.vlan > 0 ? 18 : 14;
  const ipBytes = ipHeader + transport + payload;
  const wire = Math.max(60, link + ipBytes);
  const captured = Math.min(SNAPLEN, wire);
  out.fill(0, at, at + 16 + captured + 64);
  out.writeUInt32LE(seconds, at);
  out.writeUInt32LE(micros, at + 4);
  out.writeUInt32LE(captured, at + 8);
  out.writeUInt32LE(wire, at + 12);
  let p = at + 16;
  out.writeUIntBE(0x020000000001 + (answer ? 1 : 0), p, 6);
  out.writeUIntBE(0x020000000001 + (answer ? 0 : 1), p + 6, 6);
  p += 12;
  if (flow.vlan > 0) p = out.writeUInt16BE(flow.vlan, out.writeUInt16BE(0x8100, p));
  p = out.writeUInt16BE(flow.ipv6 ? 0x86dd : 0x0800, p);
  p = flow.ipv6 ? ipv6(out, p, flow, answer, transport + payload) : ipv4(out, p, flow, answer, ipBytes);
  ports(out, p, flow, number, answer, transport + payload);
  count(truth, flow, wire, ipBytes);
  return at + 16 + captured;
}

function payloadBytes(flow: Flow, number: number, answer: boolean): number {
  if (flow.kind === 'syn' || flow.kind === 'scan' || (flow.protocol === 6 && number < 3)) return 0;
  if (flow.kind === 'amplification') return 1200;
  return answer ? 1000 + (number % 400) : 40 + (number % 60);
}

function ipv4(out: Buffer, at: number, flow: Flow, answer: boolean, length: number): number {
  out[at] = 0x45;
  out.writeUInt16BE(length, at + 2);
  out.writeUInt16BE(0x4000, at + 6);
  out[at + 8] = 64;
  out[at + 9] = flow.protocol;
  out.writeUInt32BE(answer ? flow.destination : flow.source, at + 12);
  out.writeUInt32BE(answer ? flow.source : flow.destination, at + 16);
  return at + 20;
}

function ipv6(out: Buffer, at: number, flow: Flow, answer: boolean, payload: number): number {
  out[at] = 0x60;
  out.writeUInt16BE(payload, at + 4);
  out[at + 6] = flow.protocol === 1 ? 58 : flow.protocol;
  out[at + 7] = 64;
  for (const [offset, address] of [
    [8, answer ? flow.destination : flow.source],
    [24, answer ? flow.source : flow.destination],
  ]) {
    out.writeUInt32BE(0x20010db8, at + offset);
    out.writeUInt32BE(address, at + offset + 12);
  }
  return at + 40;
}

function ports(out: Buffer, at: number, flow: Flow, number: number, answer: boolean, length: number): void {
  if (flow.protocol === 1) {
    out[at] = flow.ipv6 ? (answer ? 129 : 128) : answer ? 0 : 8;
    return;
  }
  out.writeUInt16BE(answer ? flow.destinationPort : flow.sourcePort, at);
  out.writeUInt16BE(answer ? flow.sourcePort : flow.destinationPort, at + 2);
  if (flow.protocol === 17) out.writeUInt16BE(length, at + 4);
  else {
    out[at + 12] = 0x50;
    out[at + 13] =
      flow.kind !== 'plain'
        ? 0x02
        : number === 0
          ? 0x02
          : number === 1
            ? 0x12
            : number >= flow.packets - 2
              ? 0x11
              : 0x18;
  }
}

function count(truth: Truth, flow: Flow, wire: number, ipBytes: number): void {
  truth.packets++;
  truth.wireBytes += wire;
  truth.ipBytes += ipBytes;
  if (flow.protocol === 6) truth.tcp++;
  else if (flow.protocol === 17) truth.udp++;
  else truth.icmp++;
  if (flow.ipv6) truth.ipv6++;
  if (flow.vlan > 0) truth.vlan++;
}

if (import.meta.main) {
  const [path, packets, seed] = process.argv.slice(2);
  if (!path || !(Number(packets) > 0)) throw new Error('usage: node test/perf/generate.ts OUT.pcap PACKETS [SEED]');
  writeFileSync(`${path}.json`, JSON.stringify(generate(path, Number(packets), Number(seed ?? 42))));
}
