import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from './generate.ts';

/**
 * `npm run bench [PACKETS] [ROUNDS]`: packets a second of weir's commands beside a plain read and `pcap-parser`, each as
 * a process of its own, measured in turn. A noisy machine makes single times worthless: read the ratios to the plain
 * read and to each other. docs/performance.md keeps the table.
 */
const ROOT = join(import.meta.dirname, '../..');
const PACKETS = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = Number(process.argv[3] ?? 3);

interface Contender {
  name: string;
  args: string[];
}

interface Measured {
  wall: number;
  cpu: number;
  rss: number;
}

/** Runs at the end of each process and tells what it used. */
const REPORT = `data:text/javascript,import{writeSync}from'node:fs';process.on('exit',()=>{const u=process.resourceUsage();writeSync(3,JSON.stringify({cpu:(u.userCPUTime+u.systemCPUTime)/1e6,rss:u.maxRSS/1024}))})`;
const PLAIN = `import{openSync,readSync}from'node:fs';const b=Buffer.alloc(1<<20),f=openSync(process.argv[1],'r');let n=0,r;while((r=readSync(f,b,0,b.length,null))>0)n+=r;console.log(n)`;
const LIBRARY = `import p from 'pcap-parser';let n=0,b=0;const q=p.parse(process.argv[1]);q.on('packet',k=>{n++;b+=k.header.originalLength});q.on('end',()=>console.log(n,b))`;

function contenders(capture: string, store: string): Contender[] {
  const weir = (...args: string[]) => [join(ROOT, 'src/main.ts'), ...args];
  return [
    { name: 'plain read of the bytes', args: ['--input-type=module', '-e', PLAIN, capture] },
    { name: 'pcap-parser, counting only', args: ['--input-type=module', '-e', LIBRARY, capture] },
    { name: 'weir stats', args: weir('stats', capture, '--json') },
    { name: 'weir flows', args: weir('flows', capture, '--json', '--output', '/dev/null') },
    { name: 'weir replay (all rules)', args: weir('replay', capture, '--json') },
    { name: 'weir replay --store', args: weir('replay', capture, '--json', '--store', store) },
  ];
}

function run({ name, args }: Contender): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, ['--import', REPORT, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    let report = '';
    child.stdio[3]?.on('data', (part: Buffer) => {
      report += part;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0 || report === '') reject(new Error(`${name} ended with ${code}`));
      else
        resolve({
          wall: (performance.now() - started) / 1000,
          ...(JSON.parse(report) as { cpu: number; rss: number }),
        });
    });
  });
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const folder = join(tmpdir(), 'weir-bench');
mkdirSync(folder, { recursive: true });
const capture = join(folder, `mix-${PACKETS}.pcap`);
if (!existsSync(capture)) generate(capture, PACKETS);
const store = join(folder, 'store');
const all = contenders(capture, store);
const results = new Map<string, Measured[]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const contender of all) {
    rmSync(store, { recursive: true, force: true });
    results.set(contender.name, [...(results.get(contender.name) ?? []), await run(contender)]);
    process.stderr.write(`round ${round + 1} of ${ROUNDS}: ${contender.name}\n`);
  }
}
const library = median(results.get(all[1].name)!.map(({ wall }) => wall));
console.log(
  `${PACKETS} packets, ${(statSync(capture).size / 1e6).toFixed(0)} MB, median of ${ROUNDS} rounds, start of the process included`,
);
console.log(`${'who'.padEnd(28)} M packets/s  x pcap-parser  CPU s  RSS MB`);
for (const { name } of all) {
  const runs = results.get(name)!;
  const wall = median(runs.map((each) => each.wall));
  const cells = [
    (PACKETS / wall / 1e6).toFixed(2).padStart(11),
    (library / wall).toFixed(2).padStart(14),
    median(runs.map((each) => each.cpu))
      .toFixed(2)
      .padStart(6),
    median(runs.map((each) => each.rss))
      .toFixed(0)
      .padStart(7),
  ];
  console.log(`${name.padEnd(28)}${cells.join(' ')}`);
}
