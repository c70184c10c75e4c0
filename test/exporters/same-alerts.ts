/**
 * The rules that were written for packets over the same traffic as NetFlow v9: `node test/exporters/same-alerts.ts [--pair]
 * [CAPTURE...]`. softflowd exports each capture (active timeout 60 s, idle 15 s); its datagrams go through the decoder
 * and, with `--pair`, through pairing into the engine, whose watermark is held back by the active timeout. Prints what was
 * raised from packets, from records, or from both (docs/collectors.md says why they differ).
 */

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Engine } from '../../src/engine.ts';
import { ExporterDecoder, Pairing } from '../../src/exporter/exporter.ts';
import { parsePrefix } from '../../src/model/address.ts';
import type { Transition } from '../../src/model/alert.ts';
import { Names } from '../../src/model/names.ts';
import { loadRules } from '../../src/rule/rule.ts';
import { ROOT, raised, replayFiles } from '../support/replay.ts';

const HOME = ['192.0.2.0/24', '2001:db8::/32'];
const DELAY_US = 60e6;
const PAIR_US = 30e6;
const TIMEOUTS = [
  'maxlife=60',
  'expint=5',
  ...['tcp', 'udp', 'icmp', 'general', 'tcp.fin', 'tcp.rst'].map((t) => `${t}=15`),
];

/** Datagrams that softflowd makes of a capture. */
async function exported(capture: string): Promise<Uint8Array[]> {
  const datagrams: Uint8Array[] = [];
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  socket.on('message', (bytes) => datagrams.push(new Uint8Array(bytes)));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const receiver = `127.0.0.1:${socket.address().port}`;
  const timeouts = TIMEOUTS.flatMap((timeout) => ['-t', timeout]);
  const softflowd = spawn('softflowd', ['-r', capture, '-n', receiver, '-v', '9', ...timeouts], { stdio: 'ignore' });
  await once(softflowd, 'exit');
  await new Promise((done) => setTimeout(done, 300));
  socket.close();
  return datagrams;
}

function alertsOf(datagrams: Uint8Array[], pair: boolean): Transition[] {
  const transitions: Transition[] = [];
  const names = new Names();
  const metrics = new Metrics();
  const { rules } = loadRules([resolve(ROOT, 'rules')], { home: HOME.map((text) => parsePrefix(text)!) });
  const engine = new Engine(
    { rules, watermark: (maxUs) => maxUs - DELAY_US - (pair ? PAIR_US : 0) },
    { transition: (transition) => void transitions.push(transition) },
    { names, metrics },
  );
  const pairing = pair ? new Pairing(PAIR_US, metrics, (batch) => engine.flows(batch)) : null;
  const decoder = new ExporterDecoder(
    { names, frames: new Decoder({ names }, { metrics: new Metrics() }) },
    { metrics, onFlows: (batch) => (pairing ? pairing.add(batch) : engine.flows(batch)) },
  );
  for (const bytes of datagrams) decoder.decode(bytes, 0, bytes.length, '127.0.0.1', 1, Number.NaN);
  decoder.flush();
  pairing?.end();
  engine.end();
  return transitions;
}

const said = (transitions: Transition[]): Set<string> =>
  new Set(raised(transitions).map(({ rule, key, severity }) => `${rule} ${severity} ${JSON.stringify(key)}`));

function fixtures(): string[] {
  const folder = join(ROOT, 'fixtures');
  const names = readdirSync(folder).flatMap((name) =>
    ['pcap', 'pcapng'].map((end) => join(folder, name, `capture.${end}`)),
  );
  return names.filter((name) => existsSync(name));
}

const args = process.argv.slice(2);
const pair = args.includes('--pair');
const captures = args.filter((arg) => arg !== '--pair');
for (const capture of captures.length > 0 ? captures : fixtures()) {
  const packets = said((await replayFiles([capture], { home: HOME })).transitions);
  const records = said(alertsOf(await exported(capture), pair));
  const both = [...packets].filter((one) => records.has(one));
  console.log(`${capture.split('/').at(-2)}: ${both.length} the same`);
  for (const one of packets) if (!records.has(one)) console.log(`  only from packets: ${one}`);
  for (const one of records) if (!packets.has(one)) console.log(`  only from records: ${one}`);
}
