import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readArkime } from './arkime.ts';
import { asTold, type Conversation, conversationOf, type HasPorts, type Total, totals } from './conversation.ts';
import { readExceptions } from './exceptions.ts';
import { readFlowtest } from './flowtest.ts';
import { meterCapture } from './meter-capture.ts';
import { readConnLog, ZEEK_TRACES } from './zeek.ts';

/** Flows that other projects expect of their captures: packets, bytes, ends, times, VLANs, tunnels, Community IDs. */
const DATA = resolve(import.meta.dirname, '../../../shared/data');
const EXCEPTIONS = readExceptions(join(DATA, 'EXCEPTIONS.tsv'));

interface Case {
  tool: string;
  name: string;
  pcap: string;
  truth: Conversation[];
  hasPorts: HasPorts;
}

const files = (folder: string, ending: string): string[] =>
  existsSync(join(DATA, folder)) ? readdirSync(join(DATA, folder)).filter((file) => file.endsWith(ending)) : [];
const always: HasPorts = () => true;

function arkimeCases(): Case[] {
  return files('arkime', '.test').map((file) => {
    const name = file.slice(0, -'.test'.length);
    const truth = readArkime(join(DATA, 'arkime', file));
    return { tool: 'arkime', name, pcap: join(DATA, 'arkime', `${name}.pcap`), truth, hasPorts: always };
  });
}

function flowtestCases(): Case[] {
  return files('flowtest', '.yml').map((name) => {
    const { pcap, conversations } = readFlowtest(join(DATA, 'flowtest'), name);
    return { tool: 'flowtest', name, pcap, truth: conversations, hasPorts: always };
  });
}

/** Zeek tells ports of TCP and UDP; other transports are unknown to it. */
function zeekCases(): Case[] {
  const hasPorts: HasPorts = (protocol) => protocol === 6 || protocol === 17;
  return Object.entries(ZEEK_TRACES)
    .map(([name, trace]) => ({
      log: join(DATA, 'zeek/expected', name, 'conn.log'),
      pcap: join(DATA, 'zeek/Traces', trace),
      name,
    }))
    .filter(({ log, pcap }) => existsSync(log) && existsSync(pcap))
    .map(({ log, pcap, name }) => ({ tool: 'zeek', name, pcap, truth: readConnLog(log), hasPorts }));
}

/** What `weir` says otherwise than the truth, less what is excepted. */
async function differences({ tool, name, pcap, truth, hasPorts }: Case): Promise<unknown[]> {
  const expected = totals(truth, hasPorts);
  const got = totals((await meterCapture(pcap)).map(conversationOf), hasPorts);
  const excepted = EXCEPTIONS.filter((exception) => exception.tool === tool && exception.name === name);
  const wrong = [...expected.values()].flatMap((total) => {
    const fields = excepted.filter(({ key }) => key === '*' || key === total.key).map(({ field }) => field);
    return fields.includes('*') ? [] : differs(total, asTold(got.get(total.key), total), fields);
  });
  const extra = [...got.keys()].filter((key) => !expected.has(key) && !key.startsWith('0 '));
  const mayHaveExtra = excepted.some(({ field }) => field === '*');
  return mayHaveExtra ? wrong : [...wrong, ...extra.map((key) => ({ key, unexpected: got.get(key) }))];
}

function differs(expected: Total, got: Total | null, exceptFields: string[]): unknown[] {
  if (!got) return [{ key: expected.key, missing: expected }];
  return (Object.keys(expected) as (keyof Total)[])
    .filter((field) => !exceptFields.includes(field))
    .filter((field) => JSON.stringify(order(expected[field])) !== JSON.stringify(order(got[field])))
    .map((field) => ({ key: expected.key, field, expected: expected[field], got: got[field] }));
}

function order(value: unknown): unknown {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value).sort() : value;
}

const cases = [...arkimeCases(), ...flowtestCases(), ...zeekCases()];

describe.skipIf(cases.length === 0)('flows as other projects expect them (needs ../shared/data)', () => {
  for (const tool of ['arkime', 'flowtest', 'zeek']) {
    test.each(cases.filter((each) => each.tool === tool))(`${tool} $name`, async (each) => {
      expect(await differences(each)).toEqual([]);
    });
  }
});
