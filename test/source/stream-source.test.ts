import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import type { Intake, Source } from '../../src/model/intake.ts';
import { Names } from '../../src/model/names.ts';
import { createCaptureSource } from '../../src/source/source.ts';
import { StdinSource } from '../../src/source/stdin-source.ts';
import { writePcap } from './writer.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-stream-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

class Counted implements Intake {
  packetCount = 0;

  packets(_: unknown, from: number, to: number): void {
    this.packetCount += to - from;
  }

  rows(): void {}

  flows(): void {}

  series(): void {}
}

const capture = (packets: number): Buffer =>
  writePcap(Array.from({ length: packets }, (_, i) => ({ ticks: BigInt(i) * 1000n, data: new Uint8Array(60) })));

async function pollUntil(source: Source, intake: Counted, so: () => boolean): Promise<void> {
  while (!so()) {
    await source.poll(intake, 4096);
    await setImmediate();
  }
}

it('standard input: what comes is given as it comes, its end is the end', async () => {
  const stream = new PassThrough();
  const deps = { metrics: new Metrics(), logger: silentLogger(), boundUs: 3e6 };
  const source = new StdinSource('in', deps, stream);
  source.start(() => {});
  const intake = new Counted();
  stream.end(capture(100));
  await pollUntil(source, intake, () => source.done);
  expect(intake.packetCount).toBe(100);
  source.stop();
});

it('tcpdump: its capture is read, its losses are kept, and it is started again', async () => {
  writeFileSync(join(folder, 'capture'), capture(50));
  const program = join(folder, 'tcpdump');
  writeFileSync(
    program,
    `#!/bin/sh\ncat ${folder}/capture\necho 'tcpdump: listening on eth0' >&2\necho 'tcpdump: 9 packets captured, 9 packets received by filter, 4 packets dropped by kernel' >&2\necho 'tcpdump: the interface went away' >&2\necho '7 packets dropped by kernel' >&2\n`,
  );
  chmodSync(program, 0o755);
  const source = createCaptureSource(
    { name: 'eth', type: 'tcpdump', interface: 'eth0', filter: '', snaplen: 65_535, command: program },
    { names: new Names(), metrics: new Metrics(), logger: silentLogger(), finite: false },
  );
  await source.start(() => {});
  const intake = new Counted();
  await pollUntil(source, intake, () => intake.packetCount >= 100);
  expect(source.status?.()).toMatchObject({ restarts: 1 });
  expect(Number(source.status?.()['kernelDrops'])).toBeGreaterThanOrEqual(7);
  expect(source.error).toMatchObject({
    code: 'source.child',
    message: expect.stringContaining('the interface went away'),
  });
  await source.stop();
});
