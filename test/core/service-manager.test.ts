import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Logger } from '../../src/core/logger.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { ServiceManager, type ServiceManagerOptions } from '../../src/core/service-manager.ts';
import { unixAddress } from '../../src/core/unix-datagram.ts';
import { UnixReceiver } from '../support/unix-receiver.ts';

/** The protocol of sd_notify(3) over real unix sockets. */
let folder: string;
let open: { close(): void }[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-notify-'));
  open = [];
});

afterEach(() => {
  for (const each of open) each.close();
  rmSync(folder, { recursive: true });
});

function receiver(path: string): UnixReceiver {
  const made = new UnixReceiver(path);
  open.push(made);
  return made;
}

async function manager(options: ServiceManagerOptions, logger: Logger = silentLogger()): Promise<ServiceManager> {
  const made = new ServiceManager(options, { logger });
  await made.start();
  open.push({ close: () => made.stop() });
  return made;
}

const texts = (from: UnixReceiver) => from.take().map(({ text }) => text);

describe.runIf(process.platform === 'linux')('sd_notify', () => {
  it('tells ready, reloading, status and stopping, each as one datagram with the sender that the kernel saw', async () => {
    const path = join(folder, 'notify');
    const systemd = receiver(path);
    const service = await manager({ env: { NOTIFY_SOCKET: path }, monotonicUs: () => 123456789n });
    service.ready('3 sources');
    service.reloading();
    service.status('12 kpps');
    service.extend(2500);
    service.stopping();
    service.stopping();
    expect(systemd.take()).toEqual(
      [
        'READY=1\nSTATUS=3 sources',
        'RELOADING=1\nMONOTONIC_USEC=123456789\nSTATUS=reloading the configuration',
        'STATUS=12 kpps',
        'EXTEND_TIMEOUT_USEC=2500000',
        'STOPPING=1\nSTATUS=draining',
      ].map((text) => ({ text, pid: process.pid })),
    );
  });

  it('reaches sockets in the abstract namespace', async () => {
    const name = `@weir-test-${process.pid}-${Math.floor(performance.now() * 1000)}`;
    const systemd = receiver(name);
    (await manager({ env: { NOTIFY_SOCKET: name } })).ready('on');
    expect(texts(systemd)).toEqual(['READY=1\nSTATUS=on']);
  });

  it('keeps a status from smuggling in another assignment', async () => {
    const path = join(folder, 'notify');
    const systemd = receiver(path);
    (await manager({ env: { NOTIFY_SOCKET: path } })).status('a\nMAINPID=1\r\nREADY=1');
    expect(texts(systemd)).toEqual(['STATUS=a MAINPID=1 READY=1']);
  });

  it('takes the time of a reload from the monotonic clock of the machine', async () => {
    const path = join(folder, 'notify');
    const systemd = receiver(path);
    const before = process.hrtime.bigint() / 1000n;
    (await manager({ env: { NOTIFY_SOCKET: path } })).reloading();
    const told = BigInt(/MONOTONIC_USEC=(\d+)/.exec(texts(systemd)[0])![1]);
    expect(told >= before && told <= process.hrtime.bigint() / 1000n).toBe(true);
  });

  it('says a few times that nobody takes it, and goes on', async () => {
    const codes: unknown[] = [];
    const logger = { ...silentLogger(), warn: (facts: unknown) => codes.push(facts) } as unknown as Logger;
    const service = await manager({ env: { NOTIFY_SOCKET: join(folder, 'nobody') } }, logger);
    for (let i = 0; i < 10; i++) service.status('on');
    expect(codes).toEqual(Array(3).fill({ code: 'service.notify', error: 'ENOENT' }));
  });

  it('gives up a line, not its time, when the queue of the receiver is full', async () => {
    const path = join(folder, 'notify');
    const systemd = receiver(path);
    const service = await manager({ env: { NOTIFY_SOCKET: path } });
    for (let i = 0; i < 5000; i++) service.status(`line ${i}`);
    const got = texts(systemd);
    expect(got.length).toBeLessThan(5000);
    expect(got[0]).toBe('STATUS=line 0');
    service.ready('again');
    expect(texts(systemd)).toEqual(['READY=1\nSTATUS=again']);
  });
});

describe('without systemd', () => {
  it('does nothing', async () => {
    const service = await manager({ env: {} });
    service.ready('on');
    service.startWatchdog();
    expect(service.active).toBe(false);
    expect(service.watchdogEveryMs).toBeNull();
  });
});

describe.runIf(process.platform === 'linux')('watchdog', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const env = (more: Record<string, string>) => ({ NOTIFY_SOCKET: join(folder, 'notify'), ...more });

  it('is fed twice as often as it must be, while the daemon is alive', async () => {
    const systemd = receiver(join(folder, 'notify'));
    let alive = true;
    const service = await manager({ env: env({ WATCHDOG_USEC: '10000000', WATCHDOG_PID: '7' }), pid: 7 });
    service.startWatchdog(() => alive);
    service.startWatchdog(() => alive);
    expect(texts(systemd)).toEqual(['WATCHDOG=1']);
    vi.advanceTimersByTime(20_000);
    expect(texts(systemd)).toEqual(Array(4).fill('WATCHDOG=1'));
    alive = false;
    vi.advanceTimersByTime(20_000);
    expect(texts(systemd)).toEqual([]);
    alive = true;
    vi.advanceTimersByTime(5_000);
    expect(texts(systemd)).toEqual(['WATCHDOG=1']);
  });

  it.each([
    ['of another process', { WATCHDOG_USEC: '10000000', WATCHDOG_PID: '8' }],
    ['without a time', { WATCHDOG_PID: '7' }],
    ['of nonsense', { WATCHDOG_USEC: 'soon' }],
    ['of nothing', { WATCHDOG_USEC: '0' }],
  ])('%s is not fed', async (_, more) => {
    const systemd = receiver(join(folder, 'notify'));
    const service = await manager({ env: env(more), pid: 7 });
    service.startWatchdog();
    vi.advanceTimersByTime(60_000);
    expect(texts(systemd)).toEqual([]);
  });
});

describe('unix addresses', () => {
  it.each(['', '@', `/${'x'.repeat(107)}`, 'a\0b'])('refuses %j', (path) => {
    expect(() => unixAddress(path)).toThrow(/no address of a unix socket/);
  });

  it('are laid out as unix(7) has them', () => {
    expect([...unixAddress('/a').subarray(2)]).toEqual([47, 97, 0]);
    expect([...unixAddress('@a').subarray(2)]).toEqual([0, 97]);
    expect(unixAddress(`/${'x'.repeat(106)}`).length).toBe(110);
  });
});
