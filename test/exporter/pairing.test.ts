import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { Pairing } from '../../src/exporter/exporter.ts';
import { BIFLOW, ESTABLISHED, type FlowBatch, UNASKED } from '../../src/model/flow-batch.ts';
import { FlowFormatter } from '../../src/model/flow-json.ts';
import { Names } from '../../src/model/names.ts';
import { type OneWay, rowsOf } from './rows.ts';

const [SYN, RST, ACK, ALL] = [2, 4, 16, 27];
const CLIENT = '192.0.2.1 40000';
const SERVER = '198.51.100.7 443';

interface Told {
  from: string;
  octets: number;
  reverse: number;
  meta: number;
}

function pairing(withinUs = 30e6) {
  const names = new Names();
  const format = new FlowFormatter(names);
  const told: Told[] = [];
  const take = (batch: FlowBatch): void => {
    for (let row = 0; row < batch.length; row++) {
      const { sourceAddress, octetDeltaCount = 0, reverseOctetDeltaCount = 0 } = format.object(batch, row);
      const meta = batch.meta[row];
      told.push({ from: String(sourceAddress), octets: octetDeltaCount, reverse: reverseOctetDeltaCount, meta });
    }
  };
  const pairs = new Pairing(withinUs, new Metrics(), take);
  const add = (...records: OneWay[]): void => {
    pairs.add(rowsOf(records, names));
    pairs.flush();
  };
  return { pairs, add, told };
}

const ask = (startMs: number, flags = ALL): OneWay => ({ from: CLIENT, to: SERVER, startMs, flags, octets: 100 });
const answer = (startMs: number, flags = ALL): OneWay => ({ from: SERVER, to: CLIENT, startMs, flags, octets: 900 });

describe('two records of one flow', () => {
  it.each([
    ['the question first', [ask(0), answer(1)]],
    ['the answer first', [answer(1), ask(0)]],
    ['both in one millisecond', [answer(5), ask(5)]],
    ['both in one millisecond, the other way', [ask(5), answer(5)]],
  ])('become one, from whoever began: %s', (_, records) => {
    const { add, told } = pairing();
    add(...records);
    expect(told).toMatchObject([{ from: '192.0.2.1', octets: 100, reverse: 900 }]);
    expect(told[0].meta & (BIFLOW | ESTABLISHED)).toBe(BIFLOW | ESTABLISHED);
  });

  it('of two exporters stay two', () => {
    const { add, told } = pairing();
    add(ask(0), { ...answer(1), exporter: '192.0.2.253' });
    expect(told).toEqual([]);
  });

  it('further apart than asked for stay two', () => {
    const { pairs, add, told } = pairing(1e6);
    add(ask(0));
    add(answer(5000));
    pairs.end();
    expect(told.map(({ octets, reverse }) => [octets, reverse])).toEqual([
      [100, 0],
      [900, 0],
    ]);
  });

  it('a SYN-ACK or RST that no SYN went before is unasked', () => {
    const { pairs, add, told } = pairing();
    add(answer(0, SYN | ACK), { ...ask(1, RST) });
    pairs.end();
    expect(told).toMatchObject([{ from: '198.51.100.7' }]);
    expect(told[0].meta & UNASKED).toBe(UNASKED);
  });

  it('a reset answers the SYN-ACK of the same millisecond', () => {
    const { add, told } = pairing();
    add(ask(0, RST), answer(0, SYN | ACK));
    expect(told).toMatchObject([{ from: '198.51.100.7', octets: 900, reverse: 100 }]);
    expect(told[0].meta & UNASKED).toBe(UNASKED);
  });

  it('what waits is in the saved state', () => {
    const before = pairing();
    before.add(ask(0), { ...ask(0), from: '192.0.2.2 40001' });
    const out = new StateWriter();
    before.pairs.save(out);
    const after = pairing();
    after.pairs.restore(new StateReader(out.concat()));
    after.add(answer(1));
    expect(after.told).toMatchObject([{ from: '192.0.2.1', octets: 100, reverse: 900 }]);
    after.pairs.end();
    expect(after.told).toHaveLength(2);
    const again = new StateWriter();
    pairing().pairs.save(again);
    expect(() => pairing().pairs.restore(new StateReader(again.concat()))).not.toThrow();
  });
});
