import { execFile } from 'node:child_process';
import { messageOf } from './errors.ts';
import type { Logger } from './logger.ts';

export interface ServiceManagerOptions {
  env?: Readonly<Record<string, string | undefined>>;
  pid?: number;
  /** Microseconds of CLOCK_MONOTONIC, which is what Node's `hrtime` reads. */
  monotonicUs?: () => bigint;
}

type Send = (text: string) => string | null;

/** A queue of the service manager that stays full so often loses its state lines, never the daemon its time. */
const MOST_WARNINGS = 3;

/**
 * Tells systemd how the daemon fares: sd_notify(3) over `NOTIFY_SOCKET`. Without that variable every call does nothing,
 * so that the same code runs on a terminal, in a container and under another supervisor. `start` must come first.
 */
export class ServiceManager {
  readonly #logger: Logger;
  readonly #path: string | undefined;
  readonly #watchdogMs: number | null;
  readonly #monotonicUs: () => bigint;
  #send: Send = () => null;
  #closeSocket: () => void = () => {};
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  #stopping = false;

  constructor(options: ServiceManagerOptions, deps: { logger: Logger }) {
    const { env = process.env, pid = process.pid } = options;
    this.#logger = deps.logger;
    this.#path = env['NOTIFY_SOCKET'] || undefined;
    this.#monotonicUs = options.monotonicUs ?? (() => process.hrtime.bigint() / 1000n);
    this.#watchdogMs = watchdogMs(env, pid);
  }

  /** True when somebody listens. */
  get active(): boolean {
    return this.#path !== undefined;
  }

  /** Half of what the unit allows (`WatchdogSec=`), as sd_watchdog_enabled(3) advises; null: no watchdog. */
  get watchdogEveryMs(): number | null {
    return this.#path === undefined ? null : this.#watchdogMs;
  }

  /** Opens the way to the service manager. */
  async start(): Promise<void> {
    if (this.#path === undefined) return;
    try {
      const { UnixDatagram } = await import('./unix-datagram.ts');
      const socket = new UnixDatagram(this.#path);
      this.#send = (text) => socket.send(text);
      this.#closeSocket = () => socket.close();
    } catch (error) {
      this.#logger.warn({ code: 'service.fallback', error: messageOf(error) });
      this.#send = sendByTool;
    }
  }

  /** Start-up or reload is over. */
  ready(status: string): void {
    this.#tell('READY=1', statusLine(status));
  }

  /** A reload begins; `ready` ends it. The time tells the manager which of its requests this answers. */
  reloading(status = 'reloading the configuration'): void {
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${this.#monotonicUs()}`, statusLine(status));
  }

  /** The end begins: from here on the stop timeout of the unit counts, and the watchdog is fed until the end. */
  stopping(status = 'draining'): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#tell('STOPPING=1', statusLine(status));
  }

  /** One line for `systemctl status`. */
  status(text: string): void {
    this.#tell(statusLine(text));
  }

  /** Start, reload or stop takes longer than the unit allows, but goes on: so much time more, from now. */
  extend(ms: number): void {
    this.#tell(`EXTEND_TIMEOUT_USEC=${Math.round(ms * 1000)}`);
  }

  /**
   * Feeds the watchdog from the event loop: a loop that stands still is restarted, and so is a daemon that `alive` says
   * is stuck. Does nothing where the unit has no watchdog.
   */
  startWatchdog(alive: () => boolean = () => true): void {
    const everyMs = this.watchdogEveryMs;
    if (everyMs === null || this.#timer !== null) return;
    const feed = () => {
      if (alive()) this.#tell('WATCHDOG=1');
      else this.#logger.error({ code: 'service.stuck' });
    };
    feed();
    this.#timer = setInterval(feed, everyMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#closeSocket();
    this.#send = () => null;
  }

  #tell(...lines: string[]): void {
    const error = this.#send(lines.join('\n'));
    if (error === null || this.#failures++ >= MOST_WARNINGS) return;
    this.#logger.warn({ code: 'service.notify', error });
  }
}

/** A status is one line; what stands after a line break would be taken for another assignment. */
function statusLine(text: string): string {
  return `STATUS=${text.replace(/[\p{Cc}]+/gu, ' ')}`;
}

/** `WATCHDOG_USEC` counts for the process that `WATCHDOG_PID` names, or for all. */
function watchdogMs(env: Readonly<Record<string, string | undefined>>, pid: number): number | null {
  const us = Number(env['WATCHDOG_USEC']);
  const owner = env['WATCHDOG_PID'];
  if (!(us > 0) || (owner !== undefined && owner !== '' && Number(owner) !== pid)) return null;
  return Math.max(1, Math.floor(us / 2000));
}

/** Where the C library cannot be called: systemd-notify(1), which a unit must allow by `NotifyAccess=all`. */
function sendByTool(text: string): null {
  execFile('systemd-notify', [`--pid=${process.pid}`, ...text.split('\n')], () => {});
  return null;
}
