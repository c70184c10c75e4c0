import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { meterWhole } from './meter-capture.ts';

/** Whatever a capture holds, damaged and malformed ones too: each packet and byte read is in one record. */
const DATA = resolve(import.meta.dirname, '../../../shared/data');
const FOLDERS = [
  'arkime',
  'flowtest',
  'zeek',
  'suricata-verify',
  'tcpdump',
  'libpcap',
  'pcapng-generator',
  'pcapplusplus',
];
const NO_CAPTURE = /\.(test|yml|yaml|log|json|tsv|md|txt|xml)$|LICENSE|COPYING/;

const captures = FOLDERS.filter((folder) => existsSync(join(DATA, folder))).map((folder) => ({
  folder,
  paths: readdirSync(join(DATA, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !NO_CAPTURE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name)),
}));

describe.skipIf(captures.length === 0)('every packet counts once (needs ../shared/data)', () => {
  test.each(captures)(
    '$folder',
    async ({ paths }) => {
      const wrong: unknown[] = [];
      for (const path of paths) {
        const { flows, packets, wireBytes } = await meterWhole(path);
        const counted = flows.reduce((sum, flow) => sum + flow.packetDeltaCount! + flow.reversePacketDeltaCount!, 0);
        const bytes = flows.reduce(
          (sum, flow) => sum + flow.layer2OctetDeltaCount! + flow.reverseLayer2OctetDeltaCount!,
          0,
        );
        if (counted !== packets || bytes !== wireBytes) wrong.push({ path, packets, counted, wireBytes, bytes });
      }
      expect(wrong).toEqual([]);
    },
    120_000,
  );
});
