import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checksum, StateReader, StateWriter } from '../../src/core/state.ts';

describe('state', () => {
  it('comes back to the last bit, in the order it was written', () => {
    fc.assert(
      fc.property(fc.double(), fc.string(), fc.float64Array(), fc.uint8Array(), (number, text, doubles, bytes) => {
        const out = new StateWriter();
        out.number(number);
        out.text(text);
        out.array(doubles);
        out.bytes(bytes);
        const state = new StateReader(out.concat());
        expect(state.number()).toBe(number);
        expect(state.text()).toBe(text);
        expect(state.array(Float64Array)).toEqual(doubles);
        expect(state.bytes()).toEqual(bytes);
        expect(state.done).toBe(true);
      }),
    );
  });

  it('finds sections by name and leaves others alone', () => {
    const out = new StateWriter();
    out.section('one', (inner) => inner.number(1));
    out.section('two', (inner) => inner.json({ b: [2] }));
    const sections = new StateReader(out.concat()).sections();
    expect(sections.get('two')?.json()).toEqual({ b: [2] });
    expect(sections.get('one')?.number()).toBe(1);
    expect(sections.has('three')).toBe(false);
  });

  it('refuses what is cut, of another type or too long', () => {
    const out = new StateWriter();
    out.array(Float64Array.of(1, 2, 3), 1);
    const bytes = out.concat();
    expect(() => new StateReader(bytes.subarray(0, -1)).array(Float64Array)).toThrow('it ends at byte');
    expect(() => new StateReader(bytes).array(Int32Array)).toThrow('another type');
    expect(() => new StateReader(bytes).into(new Float64Array(1))).toThrow('does not fit');
    const room = new Float64Array(3);
    expect(new StateReader(bytes).into(room)).toBe(2);
    expect([...room]).toEqual([2, 3, 0]);
  });

  it('has one checksum however it is cut', () => {
    const out = new StateWriter();
    out.text('weir');
    out.number(7);
    expect(checksum(out.chunks)).toBe(checksum([out.concat()]));
  });
});
