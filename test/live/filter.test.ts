import { spawnSync } from 'node:child_process';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { compileWithTcpdump } from '../../src/live/filter.ts';
import { compileFilter, LiveSource, lookUpInterface } from '../../src/live/live.ts';
import { Names } from '../../src/model/names.ts';

const hasTcpdump = spawnSync('tcpdump', ['--version']).error === undefined;

describe('filters', () => {
  it.skipIf(!hasTcpdump)('libpcap through koffi and tcpdump compile the same program', async () => {
    for (const filter of [
      'not port 22',
      'tcp[tcpflags] & tcp-syn != 0',
      'ip6 and udp',
      'host 192.0.2.1 or net 198.51.100.0/24',
    ]) {
      expect(Buffer.from(await compileFilter(filter, 1)).equals(compileWithTcpdump(filter, 1))).toBe(true);
    }
  });

  it.skipIf(!hasTcpdump)('a wrong filter is an error that says where', async () => {
    await expect(compileFilter('not a filter (', 1)).rejects.toMatchObject({ code: 'live.filter' });
  });
});

describe('interfaces', () => {
  it('are looked up by name; a path is no name', () => {
    expect(lookUpInterface('lo')).toMatchObject({ linkType: 1, loopback: true });
    expect(lookUpInterface('../lo')).toBeNull();
    expect(lookUpInterface('nope0')).toBeNull();
  });

  it('one that is not there is said at the start', async () => {
    const options = {
      name: 'l',
      type: 'live',
      interface: 'nope0',
      filter: '',
      workers: 1,
      ring: 2,
      promiscuous: false,
      timestamps: 'kernel',
      fallback: true,
    } as const;
    const never = { names: new Names(), folders: [], start: (): never => fallback() };
    const fallback = (): never => {
      throw new Error('not asked for');
    };
    const source = new LiveSource(options, {
      ...never,
      metrics: new Metrics(),
      logger: pino({ level: 'silent' }),
      fallback,
    });
    await expect(source.start(() => {})).rejects.toMatchObject({ code: 'live.interface' });
  });
});
