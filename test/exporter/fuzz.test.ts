import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { ExporterDecoder } from '../../src/exporter/exporter.ts';
import { Names } from '../../src/model/names.ts';
import { bytesOf, concat, decoder, ipfix, set, templateRecord } from './decode.ts';
import { mutate, random } from './mutate.ts';

const DATA = resolve(import.meta.dirname, '../../../shared/data');
const FOLDERS = ['netflow-logstash', 'netflow-telegraf/ipfix_example', 'netflow-telegraf/sflow_v5_example'];
/** `WEIR_FUZZ_DATAGRAMS=1000000` for the long run. */
const DATAGRAMS = Number(process.env['WEIR_FUZZ_DATAGRAMS'] ?? 5_000);
const LONG_MS = 3_600_000;

function samples(): Uint8Array[] {
  return FOLDERS.filter((folder) => existsSync(join(DATA, folder))).flatMap((folder) =>
    readdirSync(join(DATA, folder))
      .filter((name) => /\.(dat|bin)$/.test(name))
      .map((name) => new Uint8Array(readFileSync(join(DATA, folder, name)))),
  );
}

function tryAll(elements: boolean): void {
  const names = new Names();
  let rows = 0;
  const exporters = new ExporterDecoder(
    { names, frames: new Decoder({ names }, { metrics: new Metrics() }) },
    {
      metrics: new Metrics(),
      onFlows: (batch) => {
        rows += batch.length;
      },
      onRecord: elements
        ? (_kind, _batch, _row, values) => {
            rows++;
            JSON.stringify(values);
          }
        : undefined,
    },
  );
  const all = samples();
  const next = random(7);
  for (let n = 0; n < DATAGRAMS; n++) {
    const data = mutate(all[next(all.length)], next);
    exporters.decode(data, 0, data.length, `192.0.2.${next(256)}`, 9995, n * 1000);
  }
  exporters.flush();
  expect(rows).toBeGreaterThan(0);
}

describe.skipIf(!existsSync(DATA))('mutated datagrams (../shared/data)', () => {
  it('come to an end, as batches', () => tryAll(false), LONG_MS);
  it('come to an end, with elements', () => tryAll(true), LONG_MS);
});

describe('large records', () => {
  it('of nearly 64 KiB, and templates that promise more than there is', () => {
    const { decode, rows } = decoder();
    const big = new Uint8Array(65_000).fill(0x62);
    decode(
      ipfix(
        0,
        1,
        set(
          2,
          templateRecord(256, [
            [8, 4],
            [96, 65_535],
          ]),
        ),
      ),
    );
    decode(
      ipfix(
        0,
        1,
        set(
          256,
          bytesOf([
            [4, 1],
            [1, 255],
            [2, big.length],
          ]),
          big,
        ),
      ),
    );
    expect(String(rows[0].elements['applicationName']).length).toBe(65_000);
    decode(
      ipfix(
        1,
        1,
        set(
          2,
          templateRecord(257, [
            [96, 65_000],
            [83, 65_000],
          ]),
        ),
        set(257, big.subarray(0, 60_000)),
      ),
    );
    decode(
      ipfix(
        1,
        1,
        set(
          2,
          concat(
            bytesOf([
              [2, 258],
              [2, 65_535],
            ]),
            new Uint8Array(40),
          ),
        ),
      ),
    );
    expect(rows.length).toBe(1);
  });
});
