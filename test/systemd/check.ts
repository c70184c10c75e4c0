/**
 * `npm run test:systemd`: the units as `systemd-analyze` judges them, and, where this process may make namespaces, under a
 * systemd that is booted for it. Says what it skips. Exit code 1 when something is not as it must be.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const REPO = resolve(import.meta.dirname, '../..');
/** Exposure x 10 that the unit for files and collectors may have. */
const MOST_EXPOSURE = 15;
const work = mkdtempSync(join(tmpdir(), 'weir-systemd-'));
let failed = false;

function run(command: string, args: string[]): { status: number; text: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  return { status: error ? 127 : (status ?? 1), text: `${stdout ?? ''}${stderr ?? ''}` };
}

function say(name: string, ok: boolean, text: string): void {
  failed ||= !ok;
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${name}: ${text}\n`);
}

/** The units as installed, in a root of their own. */
function stage(name: string, ...options: string[]): string {
  const root = join(work, name);
  const args = [join(REPO, 'src/main.ts'), 'install-service', '--prefix', root, ...options];
  const { status, text } = run(process.execPath, args);
  if (status !== 0) throw new Error(text);
  return root;
}

function analyze(): void {
  const plain = stage('plain');
  const units = join(plain, 'etc/systemd/system');
  for (const unit of ['weir.service', 'weir@.service']) {
    const { status, text } = run('systemd-analyze', ['verify', join(units, unit)]);
    say(`verify ${unit}`, status === 0 && text.trim() === '', text.trim() || 'clean');
    const args = ['security', '--offline=true', `--threshold=${MOST_EXPOSURE}`, '--no-pager', join(units, unit)];
    const score = run('systemd-analyze', args);
    say(`security ${unit}`, score.status === 0, lastLine(score.text));
  }
  const capture = join(stage('capture', '--capture'), 'etc/systemd/system/weir.service');
  const { text } = run('systemd-analyze', ['security', '--offline=true', '--no-pager', capture]);
  process.stdout.write(`     with capture.conf: ${lastLine(text)}\n`);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** What is started under the real unit, and by which script. */
const BOOTS = {
  probe: {
    script: 'drive.sh',
    program: '/test/systemd/probe.ts',
    options: [],
    facts: ['start', 'reload', 'watchdog', 'stop'],
  },
  weir: {
    script: 'drive-weir.sh',
    program: '/src/main.ts',
    options: [],
    facts: ['start', 'reload', 'watchdog', 'stop'],
  },
  capture: {
    script: 'drive-capture.sh',
    program: '/src/main.ts',
    options: ['--capture'],
    facts: ['start', 'credential given', 'packets', 'stop'],
  },
};

/** The sandbox, READY, reload, a process that stands still, stop: of the probe, then of weir itself; then packets and a secret. */
function boot(name: keyof typeof BOOTS): void {
  const { script, program, options, facts } = BOOTS[name];
  const units = stage(`${name}-units`, ...options);
  const unit = join(units, 'etc/systemd/system/weir.service');
  const text = readFileSync(unit, 'utf8').replace('/src/main.ts', program);
  writeFileSync(unit, text.replace(/WatchdogSec=.*/, 'WatchdogSec=4s\nTimeoutAbortSec=1s'));
  const out = join(work, `${name}-out`);
  mkdirSync(out);
  cpSync(join(REPO, 'fixtures/syn-flood/capture.pcapng'), join(out, 'capture.pcapng'));
  run(join(REPO, 'test/systemd/boot.sh'), [units, out, script]);
  const log = readLog(join(out, 'log'));
  for (const [fact, value] of log) say(`${name}, ${fact}`, !value.includes('FAILED'), value);
  for (const fact of facts) {
    if (!log.has(fact)) say(`${name}, ${fact}`, false, 'did not');
  }
}

function mayBoot(): boolean {
  return process.getuid?.() === 0 && run('unshare', ['--mount', '--pid', '--fork', 'true']).status === 0;
}

function readLog(path: string): Map<string, string> {
  const lines = readFileSync(path, 'utf8').split('\n');
  const facts = lines.map((line) => /^([a-z][\w /]*): (.*)$/.exec(line)).filter((match) => match !== null);
  return new Map(facts.map(([, name, value]) => [name, value]));
}

if (run('systemd-analyze', ['--version']).status === 127) process.stdout.write('skip: systemd-analyze is not here\n');
else {
  analyze();
  if (mayBoot()) for (const name of ['probe', 'weir', 'capture'] as const) boot(name);
  else process.stdout.write('skip boot: needs root and namespaces\n');
}
if (process.env['WEIR_KEEP']) cpSync(work, process.env['WEIR_KEEP'], { recursive: true });
rmSync(work, { recursive: true });
process.exitCode = failed ? 1 : 0;
