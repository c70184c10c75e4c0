import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config, SourceConfig } from '../config.ts';
import { messageOf, WeirError } from '../core/errors.ts';
import { parseBytes } from '../core/units.ts';
import { compileFilter, loadLibc, lookUpInterface, PacketSocket } from '../live/live.ts';
import { type Diagnosis, failure, ok, warning } from './doctor-findings.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** Below this nothing can be kept for long, whatever was asked for. */
const LEAST_FREE = GIB;
const WANTED_BUFFER = 4 * MIB;
const OLDEST_NODE = 24;

/** The machine as the configuration needs it; without one, as any would. */
export async function examineHost(config: Config | null): Promise<Diagnosis[]> {
  const sources = config?.sources ?? [];
  return [
    runtime(),
    ...(await captures(sources)),
    receiveBuffer(sources),
    await clock(),
    ...(config === null ? [] : storage(config)),
    ...tools(sources),
  ];
}

function runtime(): Diagnosis {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= OLDEST_NODE) return ok('runtime', `Node.js ${process.versions.node}`);
  return failure('runtime', `Node.js ${process.versions.node} is too old`, `install Node.js ${OLDEST_NODE} or newer`);
}

/** Each live interface is opened for a moment; without any, whether packets could be had at all. */
async function captures(sources: readonly SourceConfig[]): Promise<Diagnosis[]> {
  const live = sources.filter((source) => source.type === 'live');
  if (live.length === 0) return [await ringDiagnosis('capture', 'lo', '', false)];
  const found: Diagnosis[] = [];
  for (const { name, interface: device, filter } of live)
    found.push(await ringDiagnosis(`capture ${name}`, device, filter, true));
  return found;
}

async function ringDiagnosis(check: string, name: string, filter: string, needed: boolean): Promise<Diagnosis> {
  const device = lookUpInterface(name);
  const bad = needed ? failure : warning;
  if (device === null) return bad(check, `there is no interface ${name}`, 'ip link shows those that are there');
  try {
    const program = filter === '' ? null : await compileFilter(filter, device.linkType);
    const options = { blockBytes: MIB, blocks: 2, retireMs: 20, promiscuous: false, cardTime: false, fanout: null };
    new PacketSocket(await loadLibc(), device, { ...options, filter: program }).close();
  } catch (cause) {
    const hint = cause instanceof WeirError ? cause.hint : undefined;
    return bad(check, messageOf(cause), hint ?? 'type: tcpdump captures without the ring');
  }
  if (needed && !device.up) return warning(check, `${name} is down`, `ip link set ${name} up`);
  return ok(check, `the kernel's ring can be opened${needed ? ` on ${name}` : ''}`);
}

/** What a socket may have at most, and what the collectors ask for. */
function receiveBuffer(sources: readonly SourceConfig[]): Diagnosis {
  const wanted = Math.max(
    WANTED_BUFFER,
    ...sources.map((source) => ('receiveBuffer' in source ? parseBytes(source.receiveBuffer) : 0)),
  );
  const most = Number(readOr('/proc/sys/net/core/rmem_max', 'NaN'));
  if (Number.isNaN(most)) return warning('receive buffer', 'net.core.rmem_max cannot be read');
  const text = `net.core.rmem_max is ${most} bytes`;
  if (most >= wanted) return ok('receive buffer', text);
  if (hasNetAdmin()) return ok('receive buffer', `${text}, which does not count: weir has CAP_NET_ADMIN`);
  return warning(
    'receive buffer',
    `${text}; collectors ask for ${wanted}`,
    `sysctl -w net.core.rmem_max=${wanted}, and in /etc/sysctl.d`,
  );
}

const CAP_NET_ADMIN = 12n;

/** By the effective capabilities of this process (proc(5)). */
function hasNetAdmin(): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readOr('/proc/self/status', ''))?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}

/** Bytes of `struct timex`, where its status is, and the bit that says that nothing keeps the clock in time (adjtimex(2)). */
const TIMEX_BYTES = 208;
const TIMEX_STATUS = 40;
const STA_UNSYNC = 0x40;

async function clock(): Promise<Diagnosis> {
  try {
    const timex = new Uint8Array(TIMEX_BYTES);
    (await loadLibc()).adjtimex(timex);
    const synchronized = (new DataView(timex.buffer).getInt32(TIMEX_STATUS, true) & STA_UNSYNC) === 0;
    if (synchronized) return ok('clock', 'the clock is synchronized');
    return warning(
      'clock',
      'nothing keeps the clock in time',
      'run chrony or systemd-timesyncd: event times of several sources are compared',
    );
  } catch (cause) {
    return warning('clock', `it cannot be told whether the clock is in time: ${messageOf(cause)}`);
  }
}

function storage(config: Config): Diagnosis[] {
  const { path, retention } = config.store;
  const folder = nearest(path);
  const found: Diagnosis[] = [];
  try {
    accessSync(folder, constants.W_OK);
    found.push(ok('store', `${path} can be written`));
  } catch {
    found.push(failure('store', `${folder} cannot be written`, 'give it to the user that weir runs as'));
  }
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const wanted = parseBytes(retention.size);
  const text = `${(free / GIB).toFixed(1)} GiB are free for ${path}`;
  if (free < LEAST_FREE) found.push(failure('disk', text, 'make room, or move store.path'));
  else if (free < wanted)
    found.push(warning('disk', `${text}; the history may grow to ${retention.size}`, 'lower store.retention.size'));
  else found.push(ok('disk', text));
  return found;
}

function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path));
}

/** Programs and files that sources name. */
function tools(sources: readonly SourceConfig[]): Diagnosis[] {
  const found: Diagnosis[] = [];
  if (sources.some(({ type }) => type === 'tcpdump' || type === 'live')) {
    const { error } = spawnSync('tcpdump', ['--version'], { stdio: 'ignore' });
    if (error) found.push(warning('tcpdump', 'there is no tcpdump to stand in', 'apt install tcpdump'));
  }
  for (const source of sources) {
    if (source.type !== 'log' || existsSync(source.path)) continue;
    found.push(warning(`log ${source.name}`, `${source.path} is not there (yet)`));
  }
  return found;
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return otherwise;
  }
}
