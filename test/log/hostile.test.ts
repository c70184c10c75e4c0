import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTimeUs } from '../../src/core/time.ts';
import { readAddress } from '../../src/log/address-text.ts';
import { LOG_KINDS, type LogFormat } from '../../src/log/log.ts';
import * as V from '../../src/log/values.ts';
import { parseAddress } from '../../src/model/address.ts';
import { readLog } from './read.ts';

const KINDS: readonly LogFormat[] = LOG_KINDS;
const SEEDS = [
  '#separator \\x09\n#fields\tid.orig_h\tid.resp_h\torig_pkts\n192.0.2.1\t192.0.2.2\t5\n',
  '{"event_type":"flow","src_ip":"192.0.2.1","dest_ip":"192.0.2.2","flow":{"pkts_toserver":1,"start":"2020-01-01T00:00:00.0+0000"}}\n',
  '2 123456789010 eni-1 192.0.2.1 192.0.2.2 1 2 6 1 1 1418530010 1418530070 ACCEPT OK\n',
  'ts,te,sa,da,ibyt\n2020-01-01 00:00:00,2020-01-01 00:00:00,192.0.2.1,192.0.2.2,5\n',
];

describe('hostile bytes', () => {
  it('any bytes end without an error thrown, whatever the pieces', async () => {
    const mutated = fc
      .tuple(fc.constantFrom(...SEEDS), fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 8 }), fc.nat(3))
      .map(([seed, changes, times]) => {
        const bytes = Buffer.from(seed.repeat(times + 1));
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
    const input = fc.oneof(mutated, fc.uint8Array({ maxLength: 400 }));
    await fc.assert(
      fc.asyncProperty(
        input,
        fc.constantFrom(...KINDS),
        fc.integer({ min: 1, max: 64 }),
        async (bytes, format, piece) => {
          const small = await readLog(bytes, { format, piece });
          const whole = await readLog(bytes, { format });
          expect(small.flows).toEqual(whole.flows);
          expect(small.reader.badRows).toBe(whole.reader.badRows);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('a line without an end is bounded', async () => {
    const good = '{"event_type":"flow","src_ip":"192.0.2.1","dest_ip":"192.0.2.2","flow":{"pkts_toserver":1}}\n';
    const text = Buffer.from(`${good}{"a":"${'x'.repeat(3 << 20)}"}\n${good}`);
    const { flows, reader } = await readLog(text, { format: 'eve' });
    expect(flows.length).toBe(2);
    expect(reader.badRows).toBe(1);
  });
});

describe('values read from bytes', () => {
  const bytes = (text: string): [Uint8Array, number, number] => [
    Buffer.from(`x${text}y`),
    1,
    Buffer.byteLength(text) + 1,
  ];

  it('addresses agree with the address model', () => {
    const words = new Int32Array(4);
    const model = new Int32Array(4);
    const odd = [
      '::',
      '::1',
      '1::',
      '::ffff:1.2.3.4',
      '1:2:3:4:5:6:7:8',
      '1::2::3',
      ':1',
      '1:',
      '1:2:3:4:5:6:7:1.2.3.4',
      '256.1.1.1',
      '1.2.3',
      '1.2.3.4.5',
      'g::',
      '12345::',
    ];
    const texts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom(...odd));
    fc.assert(
      fc.property(texts, (text) => {
        words.fill(0);
        model.fill(0);
        const ours = readAddress(...bytes(text), words, 0);
        expect(ours).toBe(parseAddress(text, model));
        if (ours) expect([...words]).toEqual([...model]);
      }),
      { numRuns: 2000 },
    );
  });

  it('times agree with the time model', () => {
    for (const text of [
      '2017-09-10T17:52:28.969488Z',
      '2017-09-10 17:52:28',
      '2024-02-29T23:59:59.5+0530',
      '1970-01-01T00:00:00Z',
    ]) {
      const iso = text.replace(/(\d\d)(\d\d)$/, '$1:$2').replace('+05:30', '+05:30');
      expect(V.timeToUs(...bytes(text))).toBe(parseTimeUs(iso.includes('+') ? iso : text));
    }
    expect(V.timeToUs(...bytes('1379288667.706265'))).toBe(1379288667706265);
    expect(V.timeToUs(...bytes('1418530010'))).toBe(1418530010e6);
    expect(V.timeToUs(...bytes('1418530010123'))).toBe(1418530010123e3);
    expect(V.nanosecondsToUs(...bytes('1681583295157626123'))).toBe(1681583295157626);
    for (const text of ['', 'x', '2017-13-10T17:52:28Z', '2017-09-10T17:52', '2017-09-10T17:52:28.Z']) {
      expect(V.timeToUs(...bytes(text))).toBeNaN();
    }
  });

  it('seconds keep their microseconds', () => {
    fc.assert(
      fc.property(fc.nat(2e9), fc.nat(999_999), (seconds, micros) => {
        const text = `${seconds}.${String(micros).padStart(6, '0')}`;
        expect(V.secondsToUs(...bytes(text))).toBe(seconds * 1e6 + micros);
      }),
    );
    expect(V.secondsToUs(...bytes('2.1457672119140625e-06'))).toBe(2);
  });
});
