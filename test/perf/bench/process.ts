import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Command {
  file: string;
  args: string[];
  cwd?: string;
}

/** What one run of a program took, and what it said. */
export interface Measured {
  wall: number;
  /** Of the program and all that it waited for, seconds. */
  cpu: number;
  /** The most memory of the program and its children together, MB. */
  rss: number;
  output: string;
  /** What node processes said of their garbage collection; one a thread. */
  threads: ThreadReport[];
}

export interface ThreadReport {
  majors: number;
  minors: number;
  longestMajorMs: number;
  pausesMs: number;
  /** Heap in use after a tenth of the run and at its end, MB. */
  heapEarly: number;
  heapLate: number;
}

/** Preloaded by node processes and their workers: tells pauses and heap on descriptor 4 when the thread ends. */
export const GC_REPORT = `data:text/javascript,${encodeURIComponent(`
import { writeSync } from 'node:fs';
import { PerformanceObserver, constants } from 'node:perf_hooks';
const pauses = [], heaps = [];
const keep = (entries) => { for (const e of entries) { pauses.push([e.detail.kind, e.duration]); heaps.push(process.memoryUsage().heapUsed); } };
const observer = new PerformanceObserver((list) => keep(list.getEntries()));
observer.observe({ entryTypes: ['gc'] });
process.on('exit', () => {
  keep(observer.takeRecords());
  heaps.push(process.memoryUsage().heapUsed);
  const majors = pauses.filter(([kind]) => kind === constants.NODE_PERFORMANCE_GC_MAJOR);
  const report = {
    majors: majors.length, minors: pauses.length - majors.length,
    longestMajorMs: Math.max(0, ...majors.map(([, ms]) => ms)),
    pausesMs: pauses.reduce((sum, [, ms]) => sum + ms, 0),
    heapEarly: heaps[Math.floor(heaps.length / 10)] / 2 ** 20, heapLate: heaps.at(-1) / 2 ** 20,
  };
  try { writeSync(4, JSON.stringify(report) + '\\n'); } catch {}
});`)}`;

const POLL_MS = 20;
/** A program that takes longer hangs. */
const LIMIT_MS = 300_000;
/** dash and bash tell the times of what they waited for: the second line of two. */
const TIMED = '"$@"; code=$?; times >&3; exit $code';

export function measure({ file, args, cwd }: Command): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn('/bin/sh', ['-c', TIMED, 'sh', file, ...args], {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    const parts = ['', '', '', '', ''];
    for (const fd of [1, 2, 3, 4]) child.stdio[fd]?.on('data', (part: Buffer) => (parts[fd] += part));
    let rss = 0;
    const poll = setInterval(() => (rss = Math.max(rss, peakOf(child.pid ?? 0))), POLL_MS);
    const limit = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), LIMIT_MS);
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(poll);
      clearTimeout(limit);
      const wall = (performance.now() - started) / 1000;
      if (code !== 0) reject(new Error(`${file} ${args.join(' ')} ended with ${code}: ${parts[2].slice(-400)}`));
      else
        resolve({
          wall,
          cpu: cpuOf(parts[3]),
          rss: rss / 1024,
          output: parts[1] + parts[2],
          threads: parts[4]
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line) as ThreadReport),
        });
    });
  });
}

/** `1m2.34s` twice: user and system. */
function cpuOf(times: string): number {
  const line = times.trim().split('\n')[1] ?? '';
  return [...line.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + 60 * Number(m) + Number(s), 0);
}

/** Peak memory of what runs below the shell, kB. */
function peakOf(pid: number): number {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    return children.reduce((sum, child) => sum + highWater(child) + peakOf(Number(child)), 0);
  } catch {
    return 0;
  }
}

function highWater(pid: string): number {
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}
