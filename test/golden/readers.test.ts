import { expect, test } from 'vitest';
import { dataCaptures, fixtureCaptures } from './captures.ts';
import { meterWhole } from './meter-capture.ts';

/**
 * The library's reader knows one classic format: microseconds, versions from 2.4, record headers of sixteen bytes.
 * Whatever it reads gives the same flows as our own.
 */
const folders = [fixtureCaptures(), ...dataCaptures()];

test.each(folders)(
  'both readers give the same flows: $folder',
  async ({ paths }) => {
    const differ: string[] = [];
    for (const path of paths) {
      const library = await meterWhole(path, 'pcap-parser');
      if (library.error === 'capture.unknown' || library.error === 'capture.empty') continue;
      const own = await meterWhole(path);
      if (JSON.stringify(own) !== JSON.stringify(library)) differ.push(path);
    }
    expect(differ).toEqual([]);
  },
  120_000,
);
