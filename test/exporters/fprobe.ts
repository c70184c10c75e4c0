/**
 * fprobe against the collector: `node test/exporters/fprobe.ts`, as root. fprobe reads no files, so two network namespaces
 * with a veth pair between them make traffic; tcpdump writes down what fprobe sees and what it exports. Three counts are
 * printed: of the packets, of the export as tshark decodes it, and of the collector; exit 1 where one differs. Debian packages:
 * fprobe tcpdump tshark hping3 iperf3 iproute2.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [NEAR, FAR] = ['weirfp1', 'weirfp2'];
const [FROM, TO] = ['192.0.2.1', '192.0.2.2'];
const PORT = 2055;
const folder = mkdtempSync(join(tmpdir(), 'weir-fprobe-'));
const [packets, exports] = [join(folder, 'packets.pcap'), join(folder, 'exports.pcap')];

const run = (line: string): void => void spawnSync('sh', ['-c', line], { stdio: 'ignore' });
const within = (space: string, line: string): void => run(`ip netns exec ${space} ${line}`);
const start = (line: string, output: 'pipe' | 'ignore' = 'ignore'): ChildProcess =>
  spawn('ip', ['netns', 'exec', FAR, ...line.split(' ')], { stdio: ['ignore', output, 'ignore'] });
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

function spaces(): void {
  for (const space of [NEAR, FAR]) run(`ip netns del ${space}; ip netns add ${space}; ip -n ${space} link set lo up`);
  run(`ip link add wfp1 netns ${NEAR} type veth peer name wfp2 netns ${FAR}`);
  for (const [space, device, address] of [
    [NEAR, 'wfp1', FROM],
    [FAR, 'wfp2', TO],
  ]) {
    run(`ip -n ${space} addr add ${address}/24 dev ${device}; ip -n ${space} link set ${device} up`);
    within(space, `ethtool -K ${device} tso off gso off gro off tx off`);
  }
}

async function traffic(): Promise<void> {
  within(NEAR, `ping -q -c 50 -i 0.02 ${TO}`);
  within(NEAR, `hping3 -q -S -p ++1 -c 2000 -i u500 ${TO}`);
  const server = start('timeout 20 iperf3 -s -1');
  await pause(1000);
  within(NEAR, `iperf3 -c ${TO} -t 5 -b 20M`);
  within(NEAR, `ping -q -c 5 -s 4000 -i 0.1 ${TO}`);
  server.kill();
}

function rowsOf(capture: string, fields: string[]): string[][] {
  const args = ['-r', capture, '-d', `udp.port==${PORT},cflow`, '-T', 'fields', ...fields];
  const text = execFileSync('tshark', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return text.split('\n').map((line) => line.split('\t'));
}

/** Sums of two columns, each cell a list. */
function sums(rows: string[][]): string {
  const sum = (column: number): number =>
    rows.flatMap((cells) => (cells[column] ?? '').split(',')).reduce((total, cell) => total + Number(cell), 0);
  return `${sum(0)} packets, ${sum(1)} octets`;
}

spaces();
// A pending queue of 100 flows, its default, drops the records of a scan before they are sent.
const probe = 'fprobe -i wfp2 -f ip -l 2 -s 1 -d 3 -e 10 -q 20000 -B 8192';
const collect = `${process.execPath} ${join(import.meta.dirname, 'collect.ts')} ${PORT} netflow 120`;
const watching = [
  start(`tcpdump -i wfp2 -B 32768 -w ${packets} ip`),
  start(`tcpdump -i lo -B 8192 -w ${exports} udp port ${PORT}`),
];
const collector = start(collect, 'pipe');
let text = '';
collector.stdout?.on('data', (part) => {
  text += part;
});
await pause(4000);
const fprobe = start(`${probe} 127.0.0.1:${PORT}`);
await pause(2000);
await traffic();
await pause(15_000);
fprobe.kill('SIGTERM');
await pause(2000);
for (const child of watching) child.kill('SIGINT');
collector.kill('SIGTERM');
await once(collector, 'exit');
const wire = rowsOf(packets, ['-E', 'occurrence=f', '-e', 'ip.len'])
  .filter(([length]) => length !== '')
  .map(([length]) => ['1', length]);
const told = JSON.parse(text) as { packets: number; octets: number };
const counts = {
  'on the wire': sums(wire),
  'exported, by tshark': sums(rowsOf(exports, ['-e', 'cflow.packets', '-e', 'cflow.octets'])),
  collected: `${told.packets} packets, ${told.octets} octets`,
};
for (const [where, count] of Object.entries(counts)) console.log(`${where}: ${count}`);
for (const space of [NEAR, FAR]) run(`ip netns del ${space}`);
rmSync(folder, { recursive: true });
process.exitCode = new Set(Object.values(counts)).size === 1 ? 0 : 1;
