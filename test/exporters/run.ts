/**
 * Real exporters against the collector: `node test/exporters/run.ts [CAPTURE...]`. Each exporter that is installed exports
 * the capture to a collector on loopback; packets and octets that the collector counted are compared with those of
 * the capture (by tshark). Prints a table; exit 1 where one differs. Debian packages: softflowd pmacct nfdump tshark.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

interface Totals {
  packets: number;
  octets: number;
}

interface Exporter {
  name: string;
  type: string;
  /** What it leaves out. */
  onlyIpv4?: boolean;
  /** It samples or cuts its own way: totals are an estimate within this share. */
  within?: number;
  run(capture: string, port: number, folder: string): void;
}

const FIXTURES = resolve(import.meta.dirname, '../../fixtures');
const DEFAULT = ['benign-busy-web', 'scan-ipv6', 'udp-flood'].map(captureOf);

function captureOf(name: string): string {
  const found = readdirSync(join(FIXTURES, name)).find((file) => file.startsWith('capture.'));
  return join(FIXTURES, name, found ?? '');
}

const softflowd = (version: number): Exporter => ({
  name: `softflowd v${version}`,
  type: 'netflow',
  onlyIpv4: version === 5,
  run: (capture, port) => quiet('softflowd', ['-r', capture, '-n', `127.0.0.1:${port}`, '-v', String(version)]),
});

/** pmacctd reads the capture, exports, and goes on: it is ended when its timeouts have passed. */
const pmacctd = (name: string, type: string, plugin: string, lines: string[], within?: number): Exporter => ({
  name,
  type,
  within,
  run(capture, port, folder) {
    const file = join(folder, 'pmacctd.conf');
    const common = ['daemonize: false', `pcap_savefile: ${capture}`, 'pcap_savefile_delay: 1', `plugins: ${plugin}`];
    const aggregate = 'aggregate: src_host,dst_host,src_port,dst_port,proto,tos';
    writeFileSync(file, [...common, ...lines.map((line) => line.replace('PORT', String(port))), aggregate].join('\n'));
    quiet('timeout', ['15', 'pmacctd', '-f', file]);
  },
});

const nfprobe = (version: number): Exporter =>
  pmacctd(`pmacctd nfprobe v${version}`, 'netflow', 'nfprobe', [
    'nfprobe_receiver: 127.0.0.1:PORT',
    `nfprobe_version: ${version}`,
    'nfprobe_timeouts: expint=1:maxlife=3:tcp=2:udp=2:general=2:icmp=2:tcp.rst=1:tcp.fin=1',
  ]);

const EXPORTERS: Exporter[] = [
  softflowd(5),
  softflowd(9),
  softflowd(10),
  nfprobe(9),
  nfprobe(10),
  // The last samples stay in its buffer.
  pmacctd(
    'pmacctd sfprobe 1:1',
    'sflow',
    'sfprobe',
    ['sfprobe_receiver: 127.0.0.1:PORT', 'sfprobe_agentip: 127.0.0.1'],
    0.01,
  ),
  {
    name: 'nfreplay v9',
    type: 'netflow',
    run(capture, port, folder) {
      const between = String(port + 1000);
      const nfcapd = spawn('nfcapd', ['-w', folder, '-p', between, '-b', '127.0.0.1', '-B', '4000000'], {
        stdio: 'ignore',
      });
      spawnSync('sleep', ['1']);
      quiet('softflowd', ['-r', capture, '-n', `127.0.0.1:${between}`, '-v', '9']);
      spawnSync('sleep', ['1']);
      nfcapd.kill('SIGTERM');
      spawnSync('sleep', ['1']);
      for (const file of readdirSync(folder).filter((name) => name.startsWith('nfcapd.'))) {
        quiet('nfreplay', ['-r', join(folder, file), '-H', '127.0.0.1', '-p', String(port), '-v', '9', '-d', '200']);
      }
    },
  },
];

function quiet(command: string, args: string[]): void {
  spawnSync(command, args, { stdio: 'ignore' });
}

const isInstalled = (command: string): boolean => spawnSync('which', [command]).status === 0;

/** Packets and octets of IP in the capture, as tshark counts them. */
function totalsOf(capture: string, onlyIpv4: boolean): Totals {
  const fields = ['-T', 'fields', '-E', 'occurrence=f', '-e', 'ip.len', '-e', 'ipv6.plen'];
  const text = execFileSync('tshark', ['-r', capture, ...fields], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const total = { packets: 0, octets: 0 };
  for (const line of text.split('\n')) {
    const [ipv4, ipv6] = line.split('\t');
    if (!ipv4 && (onlyIpv4 || !ipv6)) continue;
    total.packets++;
    total.octets += ipv4 ? Number(ipv4) : Number(ipv6) + 40;
  }
  return total;
}

function collector(type: string, port: number): ChildProcess {
  const script = join(import.meta.dirname, 'collect.ts');
  return spawn(process.execPath, [script, String(port), type, '60'], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function collect(exporter: Exporter, capture: string, port: number): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-exporter-'));
  const child = collector(exporter.type, port);
  let text = '';
  child.stdout?.on('data', (part) => {
    text += part;
  });
  await opened(port);
  exporter.run(capture, port, folder);
  await settled();
  child.kill('SIGTERM');
  await once(child, 'exit');
  rmSync(folder, { recursive: true });
  return JSON.parse(text);
}

/** Until the port shows up in the system's tables. */
async function opened(port: number): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  while (spawnSync('grep', ['-qs', `:${hex} `, '/proc/net/udp', '/proc/net/udp6']).status !== 0) await settled(50);
}

const settled = (ms = 1500): Promise<void> => new Promise((done) => setTimeout(done, ms));

const captures = process.argv.length > 2 ? process.argv.slice(2) : DEFAULT;
let port = 29_200;
let wrong = 0;
for (const capture of captures) {
  for (const exporter of EXPORTERS) {
    const tool = exporter.name.split(/[ ,]/)[0];
    if (!isInstalled(tool)) {
      console.log(`${exporter.name}: not installed, skipped`);
      continue;
    }
    const want = totalsOf(capture, exporter.onlyIpv4 ?? false);
    const got = await collect(exporter, capture, port++);
    const share = exporter.within ?? 0;
    const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= share * b;
    const isRight = isNear(got['packets'], want.packets) && isNear(got['octets'], want.octets);
    if (!isRight) wrong++;
    const records = `${got['rows']} records, lost ${got['lost']}, kernel drops ${got['kernelDrops']}`;
    const counts = `${got['packets']}/${want.packets} packets, ${got['octets']}/${want.octets} octets`;
    console.log(
      `${isRight ? 'equal ' : 'DIFFER'} ${exporter.name}: ${counts}, ${records} (${capture.split('/').at(-2)})`,
    );
  }
}
process.exitCode = wrong > 0 ? 1 : 0;
