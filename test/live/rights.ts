import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');
const RULES = resolve(import.meta.dirname, '../../rules');
const NOBODY = 65534;
const UNPRIVILEGED = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];

type Check = (good: boolean, text: string) => void;

interface Ran {
  code: number | null;
  log: string;
  /** `Uid:` lines of all threads, while it ran. */
  uids: Set<string>;
  folder: string;
}

/** Runs the daemon on a live source while some pings pass; with another user's rights from the start when asked. */
async function run(
  source: string,
  { prefix = [], path = '' }: { prefix?: string[]; path?: string } = {},
): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-rights-'));
  chmodSync(folder, 0o777);
  const config = `version: 1\nsources: [{name: edge, type: live, interface: va, ${source}}]\nrules: ["${RULES}"]\nstore: {path: st}\ncheckpoint: {interval: 1s}\nhttp: {listen: "127.0.0.1:0"}\n`;
  writeFileSync(join(folder, 'weir.yaml'), config);
  const [command, ...args] = [...prefix, process.execPath, MAIN, 'run', '-c', join(folder, 'weir.yaml')];
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${path}:${process.env['PATH']}` },
  });
  let log = '';
  child.stderr.on('data', (text: Buffer) => {
    log += text;
  });
  for (let k = 0; k < 200 && child.exitCode === null && !log.includes('web.listening'); k++) await sleep(50);
  await sleep(1000);
  spawnSync('ping', ['-c', '3', '-i', '0.1', '192.0.2.2']);
  await sleep(1500);
  const uids = new Set<string>();
  if (child.exitCode === null) {
    for (const task of readdirSync(`/proc/${child.pid}/task`))
      uids.add(/^Uid:.*$/m.exec(readFileSync(`/proc/${child.pid}/task/${task}/status`, 'utf8'))![0]);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  return { code: child.exitCode, log, uids, folder };
}

/** What the daemon may do, what it gives up, and what it does instead. */
export async function rights(check: Check): Promise<void> {
  const dropped = await run('workers: 2, user: nobody');
  const owners = readdirSync(join(dropped.folder, 'st'), { recursive: true }).map(
    (name) => statSync(join(dropped.folder, 'st', String(name))).uid,
  );
  check(
    dropped.code === 0 && [...dropped.uids].every((line) => /^Uid:(\s+65534){4}$/.test(line)),
    `user: all threads have nobody's rights (${[...dropped.uids].join('; ')})`,
  );
  check(
    owners.length > 3 && owners.every((uid) => uid === NOBODY) && dropped.log.includes('checkpoint.written'),
    `user: the state is nobody's, and is written on (${owners.length} files)`,
  );
  const wrong: [string, string][] = [
    ['timestamps: card', 'cannot stamp the packets'],
    ['user: nobody-at-all', 'there is no user nobody-at-all'],
    ['filter: "tcp prot 5"', 'does not compile'],
  ];
  for (const [source, words] of wrong) {
    const refused = await run(source);
    check(refused.code === 2 && refused.log.includes(words), `${source}: refused, "${words}"`);
  }
  await instead(check);
}

/** No right for the ring, but a tcpdump that has it. */
async function instead(check: Check): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), 'weir-bin-'));
  chmodSync(path, 0o755);
  mkdirSync(path, { recursive: true });
  cpSync('/usr/bin/tcpdump', join(path, 'tcpdump'));
  if (spawnSync('setcap', ['cap_net_raw,cap_net_admin=eip', join(path, 'tcpdump')]).status !== 0)
    return console.log('     tcpdump instead of the ring: no setcap here, not tried');
  const ran = await run('filter: icmp', { prefix: UNPRIVILEGED, path });
  check(
    ran.code === 0 && ran.log.includes('tcpdump is started instead') && /\b6 packets captured/.test(ran.log),
    `tcpdump instead of the ring: said, and ${/\d+ packets captured/.exec(ran.log)?.[0]}`,
  );
  const without = await run('filter: icmp, fallback: false', { prefix: UNPRIVILEGED, path });
  check(without.code === 2 && without.log.includes('errno 1'), 'fallback: false: no ring is an error');
}
