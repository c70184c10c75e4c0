import { execFileSync, spawnSync } from 'node:child_process';
import { createReadStream, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Truth } from '../generate.ts';
import { type Command, GC_REPORT, type Measured } from './process.ts';

export interface Setting {
  root: string;
  /** Where contenders may write. */
  folder: string;
  capture: string;
  truth: Truth;
  /** Source of the meter in C, or null. */
  cMeter: string | null;
}

export interface Contender {
  name: string;
  does: string;
  /** Null: not installed, and why. */
  command: Command | null;
  missing?: string;
  before?(): void;
  /** Packets and bytes that it has counted, null where it does not tell. */
  check?(run: Measured): Promise<{ packets?: number; bytes?: number }>;
  /** What `bytes` must be. */
  counts?: 'wireBytes' | 'ipBytes' | 'file';
}

const PLAIN = `import{openSync,readSync}from'node:fs';const b=Buffer.alloc(1<<20),f=openSync(process.argv[1],'r');let n=0,r;while((r=readSync(f,b,0,b.length,null))>0)n+=r;console.log(n)`;
const LIBRARY = `import p from 'pcap-parser';let n=0,b=0;const q=p.parse(process.argv[1]);q.on('packet',k=>{n++;b+=k.header.originalLength});q.on('end',()=>console.log(n,b))`;

export function contenders(setting: Setting): Contender[] {
  return [plainRead(setting), ...cMeters(setting), library(setting), ...peers(setting), ...weir(setting)];
}

const node = (setting: Setting, args: string[]): Command => ({ file: process.execPath, args, cwd: setting.root });

function plainRead(setting: Setting): Contender {
  return {
    name: 'plain read',
    does: 'reads the bytes',
    command: node(setting, ['--input-type=module', '-e', PLAIN, setting.capture]),
    check: async ({ output }) => ({ bytes: Number(output) }),
    counts: 'file',
  };
}

function library(setting: Setting): Contender {
  return {
    name: 'pcap-parser',
    does: 'counts packets and bytes',
    command: node(setting, ['--input-type=module', '-e', LIBRARY, setting.capture]),
    check: async ({ output }) => {
      const [packets, bytes] = output.split(' ').map(Number);
      return { packets, bytes };
    },
    counts: 'wireBytes',
  };
}

function cMeters({ cMeter, folder, capture }: Setting): Contender[] {
  const records = join(folder, 'c.records');
  return [
    { name: 'C meter, mmap', flags: ['-DMMAP'], libraries: [] },
    { name: 'C meter, libpcap', flags: [], libraries: ['-lpcap'] },
  ].map(({ name, flags, libraries }, i) => {
    const binary = join(folder, `cmeter-${i}`);
    const missing = compile(cMeter, binary, flags, libraries);
    return {
      name,
      does: 'biflow records to a file',
      command: missing ? null : { file: binary, args: [capture, records, '15', '300'] },
      before: () => rmSync(records, { force: true }),
      missing,
      check: async ({ output }: Measured) => ({
        packets: Number(/rec_pkts=(\d+)/.exec(output)?.[1]),
        bytes: Number(/rec_bytes=(\d+)/.exec(output)?.[1]),
      }),
      counts: 'ipBytes' as const,
    };
  });
}

/** Why there is no binary; undefined when there is. */
function compile(source: string | null, binary: string, flags: string[], libraries: string[]): string | undefined {
  if (source === null || !existsSync(source)) return 'no source of it here (--cmeter FILE)';
  if (existsSync(binary) && statSync(binary).mtimeMs > statSync(source).mtimeMs) return undefined;
  const done = spawnSync('gcc', ['-O2', ...flags, '-o', binary, source, ...libraries]);
  return done.status === 0 ? undefined : 'it does not compile here';
}

function peers({ folder, capture }: Setting): Contender[] {
  const nf = join(folder, 'nfcapd');
  const pmacct = join(folder, 'pmacctd.conf');
  return [
    {
      name: 'nfpcapd',
      does: 'flows to files',
      ...installed('nfpcapd', ['-r', capture, '-w', nf, '-e', '300,15']),
      before: () => {
        rmSync(nf, { recursive: true, force: true });
        execFileSync('mkdir', ['-p', nf]);
      },
      check: async () => {
        const totals = execFileSync('nfdump', ['-R', nf, '-I'], { encoding: 'utf8' });
        return {
          packets: Number(/^Packets: (\d+)/m.exec(totals)?.[1]),
          bytes: Number(/^Bytes: (\d+)/m.exec(totals)?.[1]),
        };
      },
      counts: 'ipBytes',
    },
    {
      name: 'softflowd',
      does: 'NetFlow v9 out',
      ...installed('softflowd', [
        ...['-d', '-r', capture, '-n', '127.0.0.1:9', '-v', '9', '-m', '2000000', '-t', 'expint=5'],
        ...['-p', join(folder, 'softflowd.pid'), '-c', join(folder, 'softflowd.ctl')],
      ]),
      check: async ({ output }) => ({ packets: Number(/Packets processed: (\d+)/.exec(output)?.[1]) }),
    },
    {
      name: 'argus',
      does: 'biflow records to a file',
      ...installed('argus', ['-r', capture, '-w', join(folder, 'argus.records')]),
      before: () => rmSync(join(folder, 'argus.records'), { force: true }),
    },
    {
      name: 'pmacctd',
      does: 'NetFlow v9 out',
      ...installed('pmacctd', ['-f', pmacct]),
      before: () => writeFileSync(pmacct, pmacctConfig(capture)),
    },
  ];
}

const pmacctConfig = (capture: string): string => `daemonize: false
pcap_savefile: ${capture}
plugins: nfprobe
nfprobe_receiver: 127.0.0.1:9
nfprobe_version: 9
aggregate: src_host,dst_host,src_port,dst_port,proto,tos,vlan
plugin_pipe_size: 67108864
plugin_buffer_size: 65536
`;

function installed(name: string, args: string[]): { command: Command | null; missing?: string } {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const file = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  return file ? { command: { file, args } } : { command: null, missing: 'not installed' };
}

/** Addresses of the three attacks in the capture. */
const ATTACKED = ['10.1.2.3', '10.0.5.5', '10.2.0.9'];

function weir(setting: Setting): Contender[] {
  const { root, folder, capture } = setting;
  const store = join(folder, 'store');
  const json = join(folder, 'flows.json');
  const command = (...args: string[]) => node(setting, ['--import', GC_REPORT, join(root, 'src/main.ts'), ...args]);
  const checkAlerts = async ({ output }: Measured) => {
    const missed = ATTACKED.filter((address) => !output.includes(address));
    if (missed.length > 0) throw new Error(`no alert names ${missed.join(', ')}`);
    return {};
  };
  return [
    {
      name: 'weir stats',
      does: 'counts',
      command: command('stats', capture, '--json'),
      check: statsTotals,
      counts: 'wireBytes',
    },
    {
      name: 'weir flows',
      does: 'biflow records as JSON to a file',
      command: command('flows', capture, '--json', '--output', json),
      before: () => rmSync(json, { force: true }),
      check: () => flowTotals(json),
      counts: 'ipBytes',
    },
    {
      name: 'weir replay',
      does: 'every rule, baselines, alerts',
      command: command('replay', capture, '--json'),
      check: checkAlerts,
    },
    {
      name: 'weir replay --store',
      does: 'the same, and history',
      command: command('replay', capture, '--json', '--store', store),
      before: () => rmSync(store, { recursive: true, force: true }),
      check: checkAlerts,
    },
  ];
}

async function statsTotals({ output }: Measured): Promise<{ packets: number; bytes: number }> {
  const { packets, wireBytes } = JSON.parse(output.split('\n')[0]) as { packets: number; wireBytes: number };
  return { packets, bytes: wireBytes };
}

async function flowTotals(path: string): Promise<{ packets: number; bytes: number }> {
  let packets = 0;
  let bytes = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const flow = JSON.parse(line) as Record<string, number>;
    packets += flow['packetDeltaCount'] + (flow['reversePacketDeltaCount'] ?? 0);
    bytes += flow['octetDeltaCount'] + (flow['reverseOctetDeltaCount'] ?? 0);
  }
  return { packets, bytes };
}

/** Throws when a contender did not do the work. @returns what was compared */
export async function checkWork(contender: Contender, run: Measured, setting: Setting): Promise<string> {
  if (!contender.check) return 'tells nothing';
  const { packets, bytes } = await contender.check(run);
  const { truth } = setting;
  const wanted = contender.counts === 'file' ? statSync(setting.capture).size : truth[contender.counts ?? 'ipBytes'];
  if (packets !== undefined && packets !== truth.packets)
    throw new Error(`${contender.name} counted ${packets} packets of ${truth.packets}`);
  if (bytes !== undefined && bytes !== wanted) throw new Error(`${contender.name} counted ${bytes} bytes of ${wanted}`);
  const told = [packets === undefined ? '' : 'packets', bytes === undefined ? '' : 'bytes'].filter(Boolean);
  return told.length > 0 ? told.join(', ') : 'attacks';
}

export function readTruth(path: string): Truth | null {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Truth) : null;
}
