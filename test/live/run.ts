import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlowObject } from '../../src/model/flow-fields.ts';
import { rights } from './rights.ts';

/**
 * Live capture against tcpdump, in network namespaces of its own (`npm run test:live`). It needs user namespaces, or root,
 * and tcpdump, iperf3, curl, hping3. Nothing outside is touched.
 */
const INSIDE = 'WEIR_LIVE_INSIDE';
const NODE = process.execPath;
const HERE = import.meta.dirname;
const MAIN = resolve(HERE, '../../src/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'weir-live-'));
const failures: string[] = [];

interface Captured {
  packets: number;
  seconds: number;
  cpuSeconds: number;
  flows: FlowObject[];
  counters: Record<string, number>;
  status: Record<string, number | string | null>;
}

if (process.env[INSIDE] === undefined) {
  const inner = `mount -t tmpfs tmpfs /run && mount -t sysfs sysfs /sys && exec "$0" "$@"`;
  // tcpdump wants to change its user, which a user namespace of one user does not allow: root goes without one.
  const namespaces = process.getuid?.() === 0 ? '-nm' : '-Urnm';
  const args = [namespaces, 'sh', '-c', inner, NODE, import.meta.filename, ...process.argv.slice(2)];
  const { status, error } = spawnSync('unshare', args, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
  if (error) console.error(`no namespaces here: ${error.message}`);
  process.exit(status ?? 1);
}

const sh = (text: string): string => execFileSync('sh', ['-c', text], { encoding: 'utf8' });
const inB = (...args: string[]): string[] => ['netns', 'exec', 'b', ...args];
const check = (good: boolean, text: string): void => {
  console.log(`${good ? 'ok  ' : 'FAIL'} ${text}`);
  if (!good) failures.push(text);
};

function background(command: string, args: string[]): ChildProcess {
  return spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = child.exitCode === null ? once(child, 'exit') : null;
  child.kill(signal);
  await ended;
}

/** Starts a capture through the ring in the other namespace; `stop` gives what it got. */
async function ring(workers: number, filter: string, stallMs = 0): Promise<() => Promise<Captured>> {
  const output = join(folder, `ring-${Math.round(performance.now())}.json`);
  const child = background(
    'ip',
    inB(NODE, join(HERE, 'capture.ts'), 'vb', String(workers), filter, output, String(stallMs)),
  );
  child.stderr?.on('data', (text: Buffer) => process.stderr.write(text));
  await once(child.stdout!, 'data');
  return async () => {
    await end(child, 'SIGTERM');
    return JSON.parse(readFileSync(output, 'utf8')) as Captured;
  };
}

async function tcpdump(
  file: string,
  filter: string,
): Promise<() => Promise<{ drops: number; captured: number; cpuSeconds: number }>> {
  const child = background(
    'ip',
    inB('tcpdump', '-Z', 'root', '-i', 'vb', '-B', '65536', '-n', '-w', file, ...(filter ? [filter] : [])),
  );
  let said = '';
  child.stderr?.on('data', (text: Buffer) => {
    said += text.toString();
  });
  while (!said.includes('listening on')) {
    await sleep(20);
    if (child.exitCode !== null) throw new Error(`tcpdump ended: ${said}`);
  }
  return async () => {
    await sleep(300);
    const cpuSeconds = cpuOf(child.pid!);
    await end(child, 'SIGINT');
    const number = (what: RegExp): number => Number(what.exec(said)?.[1] ?? Number.NaN);
    return {
      drops: number(/(\d+) packets? dropped by kernel/),
      captured: number(/(\d+) packets? captured/),
      cpuSeconds,
    };
  };
}

/** User and system time of a process: fields 14 and 15 of /proc/PID/stat, in hundredths. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/**
 * Flows that belong to the test: what machines say of themselves at any time is left out, and so are times, for the kernel
 * stamps a packet once for each socket.
 */
function lines(flows: FlowObject[]): string[] {
  return flows
    .filter(
      ({ sourceAddress = '', destinationAddress = '' }) =>
        !/^(fe80|ff0|::$)/.test(sourceAddress) && !/^(fe80|ff0)/.test(destinationAddress),
    )
    .map(({ file: _, flowEndReason: __, ingressInterface: ___, flowStart: ____, flowEnd: _____, ...rest }) =>
      JSON.stringify(rest),
    )
    .sort();
}

function flowsOfFile(file: string): FlowObject[] {
  const args = [MAIN, 'flows', file, '--json', '--idle-timeout', '600s', '--active-timeout', '600s'];
  const text = execFileSync(NODE, args, { encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] });
  return text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FlowObject);
}

const TAGGED = `
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('va', 0))
ip = bytes.fromhex('4500001c000100004011f6cfc0000201c0000202') + bytes.fromhex('04d2162e00080000')
for vlan in (7, 0x6007, 4094):
    s.send(b'\\xff'*6 + bytes.fromhex('020000000001') + b'\\x81\\x00' + vlan.to_bytes(2, 'big') + b'\\x08\\x00' + ip)
`;

/** A bit of everything, ended when it returns. */
async function traffic(): Promise<void> {
  sh('ping -c 3 -i 0.05 192.0.2.2; ping -6 -c 2 -i 0.05 2001:db8::2');
  const server = background('ip', inB('iperf3', '-s', '-1', '-B', '192.0.2.2'));
  const web = background('ip', inB('python3', '-m', 'http.server', '8080', '--directory', HERE));
  await sleep(800);
  sh(
    'iperf3 -c 192.0.2.2 -t 1 -b 200M >/dev/null; curl -s http://192.0.2.2:8080/run.ts >/dev/null; curl -s "http://[2001:db8::2]:8080/" >/dev/null || true',
  );
  sh(
    'hping3 -q -S -c 20000 -i u40 -p 81 192.0.2.2 >/dev/null 2>&1 || true; hping3 -q --udp -c 5000 -i u40 -d 1 --rand-source -p 53 192.0.2.2 >/dev/null 2>&1 || true',
  );
  spawnSync('python3', ['-c', TAGGED], { stdio: 'inherit' });
  await end(web, 'SIGTERM');
  await end(server, 'SIGTERM');
  await sleep(500);
}

async function sameAsTcpdump(workers: number, filter: string): Promise<void> {
  const file = join(folder, `cap-${workers}-${filter.length}.pcap`);
  const stopRing = await ring(workers, filter);
  const stopDump = await tcpdump(file, filter);
  await traffic();
  const got = await stopRing();
  const dump = await stopDump();
  const ours = lines(got.flows);
  const theirs = lines(flowsOfFile(file));
  const name = `${workers} ring(s), filter "${filter}"`;
  check(
    dump.drops === 0 && got.status['kernelDrops'] === 0,
    `${name}: no drops (ring ${got.status['kernelDrops']}, tcpdump ${dump.drops})`,
  );
  const different = ours.filter((line) => !theirs.includes(line)).slice(0, 2);
  check(
    ours.length === theirs.length && ours.every((line, i) => line === theirs[i]),
    `${name}: ${ours.length} flows equal those of tcpdump's file (${theirs.length}; ${got.packets} packets) ${different.join(' ')}`,
  );
  const tags = Object.entries(got.counters).find(([key]) => key.startsWith('weir_live_restored_tags'))?.[1] ?? 0;
  if (filter === '')
    check(tags === 3 && ours.some((line) => line.includes('"vlanId":4094')), `${name}: VLAN tags are back (${tags})`);
  else check(!ours.some((line) => /TransportPort":81\b/.test(line)), `${name}: the kernel filters`);
}

const FLOOD_SECONDS = 6;

/** Small frames as fast as two senders can; what they sent. */
async function blast(): Promise<number> {
  const args = [join(HERE, 'blaster.ts'), 'va', String(FLOOD_SECONDS)];
  const senders = [0, 1].map(() => spawn(NODE, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
  const texts = await Promise.all(senders.map(async ({ stdout }) => (await stdout.toArray()).join('')));
  return texts.reduce((sum, text) => sum + Number(text), 0);
}

const share = (cpuSeconds: number, packets: number): string =>
  `${Math.round((100 * cpuSeconds) / FLOOD_SECONDS)} % of a core, ${Math.round((1e9 * cpuSeconds) / packets)} ns a packet`;
const rate = (packets: number): number => Math.round(packets / FLOOD_SECONDS);

/** The same flood for the ring, whose consumer may stand still for a part of each second, and for tcpdump. */
async function flood(): Promise<void> {
  for (const [workers, stallMs] of [
    [1, 0],
    [2, 0],
    [1, 500],
  ]) {
    const stopRing = await ring(workers, '', stallMs);
    const sent = await blast();
    await sleep(1500);
    const got = await stopRing();
    const name = `flood, ${workers} ring(s)${stallMs > 0 ? `, the engine stands still for ${stallMs} ms of each second` : ''}`;
    console.log(`     ${name}: ${rate(got.packets)} packets/s of ${rate(sent)}, ${share(got.cpuSeconds, got.packets)}`);
    check(
      got.status['kernelDrops'] === 0,
      `${name}: ${got.status['kernelDrops']} of ${got.status['received']} dropped`,
    );
  }
  const stopDump = await tcpdump('/dev/null', '');
  const sent = await blast();
  const dump = await stopDump();
  console.log(
    `     tcpdump -w /dev/null: ${rate(dump.captured)} packets/s of ${rate(sent)}, ${share(dump.cpuSeconds, dump.captured)}, ${dump.drops} dropped`,
  );
}

async function downAndUp(): Promise<void> {
  const stop = await ring(1, 'icmp');
  sh('ping -c 2 -i 0.05 192.0.2.2; ip -n b link set vb down');
  await sleep(1500);
  sh('ip -n b link set vb up');
  await sleep(1500);
  sh('ping -c 2 -i 0.05 -W 2 192.0.2.2');
  await sleep(300);
  const down = await stop();
  check(down.packets === 8, `down and up: ${down.packets} of 8 packets`);
  const again = await ring(1, 'icmp');
  sh('ip link del va');
  await sleep(1500);
  setUp();
  await sleep(2500);
  sh('ping -c 2 -i 0.05 -W 2 192.0.2.2');
  await sleep(300);
  const back = await again();
  check(back.packets === 4 && back.status['reopens'] === 1, `removed and made again: ${back.packets} of 4 packets`);
}

function setUp(): void {
  sh(
    'ip link add va type veth peer name vb netns b && ip addr add 192.0.2.1/24 dev va && ip -n b addr add 192.0.2.2/24 dev vb &&' +
      'ip addr add 2001:db8::1/64 dev va nodad && ip -n b addr add 2001:db8::2/64 dev vb nodad &&' +
      'ip link set lo up && ip -n b link set lo up && ip link set va up && ip -n b link set vb up',
  );
  for (const command of ['', 'ip netns exec b '])
    sh(`${command}ethtool -K ${command ? 'vb' : 'va'} gro off gso off tso off tx off >/dev/null 2>&1 || true`);
}

sh('ip netns add b');
setUp();
await sleep(2000);
const only = { flood, rights: () => rights(check) }[process.argv[2] ?? ''];
if (only) {
  await only();
  process.exit(failures.length === 0 ? 0 : 1);
}
await sameAsTcpdump(1, '');
await sameAsTcpdump(2, '');
await sameAsTcpdump(1, 'not port 81');
await downAndUp();
await rights(check);
await flood();
process.exit(failures.length === 0 ? 0 : 1);
