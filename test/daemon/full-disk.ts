import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HistoryReader } from '../../src/store/store.ts';
import { Receiver } from '../notify/receiver.ts';
import { Running, Site } from './in-process.ts';

/**
 * A run whose store lies on a small disk that becomes full, or read-only, or fails for a while. To be run in a mount
 * namespace of its own (failing: with `failing-disk.c` preloaded); prints what happened as JSON.
 */
const kind = process.argv[2];
const PARTS = ['history', 'checkpoint'];
const folder = mkdtempSync(join(tmpdir(), 'weir-full-'));
const flag = process.env['FAIL_FLAG'] ?? '';
const disk = join(folder, 'disk');
mkdirSync(disk);
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk]);

const receiver = new Receiver();
await receiver.listen();
const site = new Site(folder);
site.configure(
  `store: {path: disk/state}\nchannels: [{name: hook, type: webhook, url: "${receiver.url}", secret: s}]\nhttp: {listen: "off"}\n`,
);
const run = new Running(site);
const delivered = (): string[] => receiver.got.map(({ json }) => String(json['state']));
const history = () => run.daemon.store.history;
site.capture('t-1.pcap', 0, 15);
await run.read(150);
await history().flush();
mkdirSync(join(disk, 'state', 'history'), { recursive: true });

breakDisk();
await run.daemon.checkpoint();
site.capture('t-2.pcap', 15, 60);
await run.until(() => delivered().includes('firing'));
await history().flush();
const during = { delivered: delivered(), problem: history().problem, trouble: run.daemon.trouble, status: run.status };

mendDisk();
site.capture('t-3.pcap', 60, 120, 1);
await run.until(() => delivered().includes('resolved'));
await run.daemon.checkpoint();
await run.daemon.checkpointer.settled();
await history().flush();
const after = { delivered: delivered(), problem: history().problem, checkpoint: run.daemon.checkpointer.problem };
await run.stop();
const last = new Running(site, { untilDone: true });
await last.ended;
const reader = new HistoryReader(join(disk, 'state', 'history'));
const [total] = await reader.top({
  predicate: { op: 'true' },
  by: [],
  order: 'packets',
  sinceUs: 0,
  untilUs: 2e15,
  limit: 1,
});
reader.close();
await receiver.close();
const told = run.told.length;
process.stdout.write(
  `${JSON.stringify({ during, after, packets: total?.packets ?? 0, gapRows: history().gapRows, told })}\n`,
);
execFileSync('umount', ['-l', disk]);
rmSync(folder, { recursive: true, force: true });

function breakDisk(): void {
  if (kind === 'failing') writeFileSync(flag, '');
  else if (kind === 'read-only') {
    for (const part of PARTS) execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', join(disk, 'state', part)]);
  } else {
    try {
      writeFileSync(join(disk, 'ballast'), new Uint8Array(6 << 20));
    } catch {
      // As much as fits is there: the disk is full.
    }
  }
}

function mendDisk(): void {
  if (kind === 'failing') rmSync(flag);
  else if (kind === 'read-only') for (const part of PARTS) execFileSync('umount', [join(disk, 'state', part)]);
  else rmSync(join(disk, 'ballast'));
}
