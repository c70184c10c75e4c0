import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DATA, raised, replayFiles } from '../support/replay.ts';

/** Captures that no one here recorded: attacks raise the right rule, ordinary traffic nothing critical. */
const present = existsSync(DATA);
if (!present) console.warn(`skipped: ${DATA} is not there`);

const ATTACKS: [string, string[]][] = [
  [
    'stopddos/amp.TCP.syn.optionallyACK.optionallysamePort.pcapng',
    ['syn-flood', 'synack-reflection', 'tcp-flag-flood'],
  ],
  ['stopddos/amp.UDP.isakmp.pcap', ['udp-amplification', 'udp-amplification-carpet']],
  ['bro-simple-scan/445_scan.pcap', ['scan-horizontal']],
  ['bro-simple-scan/port_scan.pcap', ['scan-vertical', 'scan-horizontal']],
  ['zeek/Traces/ftp/bruteforce.pcap', ['ftp-bruteforce']],
];

describe.runIf(present)('attacks', () => {
  it.each(ATTACKS)('%s raises one of %s', async (file, rules) => {
    const { transitions } = await replayFiles([join(DATA, file)]);
    const alerts = raised(transitions).map(({ rule }) => rule);
    expect(
      rules.some((rule) => alerts.includes(rule)),
      `raised: ${alerts.join(', ') || 'nothing'}`,
    ).toBe(true);
  });
});

const capturesIn = (folder: string): string[] =>
  present ? readdirSync(join(DATA, folder)).filter((name) => /\.pcap(ng)?$/.test(name)) : [];

describe.runIf(present).each(['arkime', 'flowtest'])('ordinary traffic of %s', (folder) => {
  it.each(capturesIn(folder))('%s: nothing critical', async (name) => {
    const { transitions } = await replayFiles([join(DATA, folder, name)]);
    expect(raised(transitions).filter(({ severity }) => severity === 'critical')).toEqual([]);
  });
});
