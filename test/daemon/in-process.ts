import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { requireConfig } from '../../src/config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { Daemon } from '../../src/daemon/daemon.ts';
import { loadAll } from '../../src/daemon/loaded.ts';
import { statusOf } from '../../src/daemon/status.ts';
import type { Transition } from '../../src/model/alert.ts';
import { writePcap } from '../source/writer.ts';

/** A rule that fires when a destination gets more than 3 packets a second for 20 s; it says so as pending first. */
export const RULE = `version: 1
rules:
- id: burst
  title: Many packets
  match: proto udp
  by: [dst.ip]
  window: 5s
  measure:
    pps: rate(packets)
  when:
    warning: pps > 3
  for: 20s
  keep_firing_for: 10s
`;

/** A folder with a configuration, rules and a spool. */
export class Site {
  readonly folder: string;
  readonly config: string;

  constructor(folder = mkdtempSync(join(tmpdir(), 'weir-daemon-'))) {
    this.folder = folder;
    this.config = join(folder, 'weir.yaml');
    mkdirSync(join(this.folder, 'spool'));
    mkdirSync(join(this.folder, 'rules'));
    this.rule('burst', RULE);
    this.configure('');
  }

  configure(more: string): void {
    const source = '{name: spool, type: directory, path: spool, poll: 10ms}';
    const fixed = 'nets: {home: [192.0.2.0/24]}\ncheckpoint: {interval: 1h}\n';
    writeFileSync(this.config, `version: 1\nsources: [${source}]\nrules: [rules/]\n${fixed}${more}`);
  }

  rule(id: string, text: string): void {
    writeFileSync(join(this.folder, 'rules', `${id}.yaml`), text);
  }

  /** Packets of seconds `from` up to `to`, `perSecond` each. */
  capture(name: string, from: number, to: number, perSecond = 10): void {
    writeFileSync(join(this.folder, 'spool', name), udpCapture(from, to, perSecond));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One daemon in this process. */
export class Running {
  readonly told: Transition[] = [];
  readonly metrics = new Metrics();
  readonly daemon: Daemon;
  readonly ended: Promise<void>;

  constructor(site: Site, options: { untilDone?: boolean; fresh?: boolean } = {}) {
    const loaded = loadAll(site.config, null);
    if ('findings' in loaded) throw new Error(JSON.stringify(loaded.findings));
    this.daemon = new Daemon(
      {
        configPath: site.config,
        config: requireConfig(site.config),
        home: null,
        rules: loaded.rules,
        untilDone: options.untilDone ?? false,
        fresh: options.fresh ?? false,
        drainMs: 1000,
      },
      {
        clock: systemClock,
        metrics: this.metrics,
        logger: silentLogger(),
        plot: async () => null,
        fresh: (transition) => this.told.push(transition),
        sinks: {},
        phase: () => {},
      },
    );
    this.ended = this.daemon.run();
  }

  get status(): ReturnType<typeof statusOf> {
    return statusOf(this.daemon, this.metrics, systemClock.nowUs());
  }

  /** Turns of the event loop until something is so. */
  async until(so: () => boolean): Promise<void> {
    while (!so()) await setImmediate();
  }

  async read(packets: number): Promise<void> {
    await this.until(() => this.daemon.engine.packets >= packets);
  }

  stop(): Promise<void> {
    this.daemon.stop();
    return this.ended;
  }
}

export function told(transitions: readonly Transition[]): string[] {
  return transitions.map(({ rule, state, time }) => `${rule} ${state} ${time.slice(11, 19)}`);
}

function udpCapture(from: number, to: number, perSecond: number): Buffer {
  const packets = Array.from({ length: (to - from) * perSecond }, (_, i) => ({
    ticks: BigInt(Math.round((1_700_000_000 + from + i / perSecond) * 1e6)),
    data: udpFrame(),
  }));
  return writePcap(packets);
}

/** Ethernet, IPv4 and UDP of 198.51.100.7:5000 -> 192.0.2.1:6000 with 20 bytes inside. */
function udpFrame(): Uint8Array {
  const frame = Buffer.alloc(62);
  frame.writeUInt16BE(0x0800, 12);
  frame.writeUInt8(0x45, 14);
  frame.writeUInt16BE(48, 16);
  frame.writeUInt8(64, 22);
  frame.writeUInt8(17, 23);
  frame.set([198, 51, 100, 7, 192, 0, 2, 1], 26);
  frame.writeUInt16BE(5000, 34);
  frame.writeUInt16BE(6000, 36);
  frame.writeUInt16BE(28, 38);
  return frame;
}
