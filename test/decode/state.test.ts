import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Names } from '../../src/model/names.ts';
import { PacketRows, ROW } from '../../src/model/packet-rows.ts';
import { batchOf, hex, SMALL } from './frames.ts';
import { eth, h, INNER, ip4, MACS, overGre, overUdp, sizeOf, udp } from './packets.ts';

const text = (ascii: string): string => Buffer.from(ascii, 'latin1').toString('hex');
const labels = (name: string): string =>
  name.split('.').reduce((all, part) => all + h(part.length, 2) + text(part), '');
const query = (name: string): string => `0001 0100 0001 0000 0000 0000 ${labels(name)} 00 0001 0001`;
const response = (name: string, address: string): string =>
  `0001 8180 0001 0001 0000 0000 ${labels(name)} 00 0001 0001 c00c 0001 0001 0000000a 0004 ${address}`;
const fragment = (id: number, offset: number, payload: string): string =>
  eth(0x0800, `4500 ${h(20 + sizeOf(payload))} ${h(id)} ${h(offset)} 40 11 0000 c0000201 c0000202 ${payload}`);

/** What a decoder remembers: names in either case, addresses of names, first fragments, stacks of headers. */
const NAMES = ['a.example', 'A.example', 'b.example', 'c.test', 'd.test'];
const frame = fc.oneof(
  fc.constantFrom(...NAMES).map((name) => overUdp(40000, 53, query(name))),
  fc.constantFrom(...NAMES).map((name) => overUdp(53, 40000, response(name, `c000020${name.length}`))),
  fc.nat(20).map((id) => fragment(id, 0x2000, udp(1000 + id, 9, '00'.repeat(8)))),
  fc.nat(20).map((id) => fragment(id, 1, '00'.repeat(8))),
  fc.constantFrom(1, 2, 3).map((vlan) => `${MACS} 8100 ${h(vlan)} 0800 ${INNER}`),
  fc.constantFrom(1, 2).map((vlan) => `${MACS} 88a8 ${h(vlan)} 8100 0007 0800 ${INNER}`),
  fc.constantFrom(eth(0x0800, INNER), overGre('00000800', INNER), eth(0x0800, ip4(47, ''))),
);

class Process {
  readonly names = new Names();
  readonly decoder: Decoder;

  constructor(foreign: number) {
    for (let i = 0; i < foreign; i++) this.names.layers.intern(`of another room ${i}`);
    this.decoder = new Decoder({ ...SMALL, names: this.names }, { metrics: new Metrics() });
  }

  decode(frames: string[], timeUs: number): number[] {
    const rows = new PacketRows(Math.max(1, frames.length));
    this.decoder.decode(batchOf(frames.map((f) => ({ bytes: hex(f), timeUs }))), 0, frames.length, rows);
    return [...rows.words.subarray(0, frames.length * ROW)];
  }

  takeOver(other: Process): this {
    const out = new StateWriter();
    other.names.save(out);
    other.decoder.save(out);
    const state = new StateReader(out.concat());
    this.names.restore(state);
    this.decoder.restore(state);
    expect(state.done).toBe(true);
    return this;
  }
}

test('an interrupted decoder gives the rows that one gives which was never interrupted', () => {
  fc.assert(
    fc.property(fc.array(fc.array(frame, { maxLength: 12 }), { maxLength: 5 }), (pieces) => {
      const whole = new Process(0);
      let cut = new Process(0);
      for (const [i, piece] of pieces.entries()) {
        expect(cut.decode(piece, i)).toEqual(whole.decode(piece, i));
        cut = new Process(i).takeOver(cut);
      }
    }),
    { numRuns: 200 },
  );
});
