import { describe, expect, it } from 'vitest';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { TimeKeeper } from '../../src/daemon/time-keeper.ts';
import { WATERMARK_BOUND_US } from '../../src/engine.ts';

const S = 1e6;
const START = 1_700_000_000 * S;

function keeper(): { time: TimeKeeper; wait: (seconds: number) => void; now: () => number } {
  let nowUs = START;
  const time = new TimeKeeper(() => nowUs);
  const wait = (seconds: number) => {
    nowUs += seconds * S;
  };
  return { time, wait, now: () => nowUs };
}

describe('event time of many sources', () => {
  it('the watermark is the least of the sources, minus the bound', () => {
    const { time } = keeper();
    const [a, b] = [time.lane('a'), time.lane('b')];
    a.maxUs = 100 * S;
    expect(time.watermark()).toBe(Number.NEGATIVE_INFINITY);
    b.maxUs = 90 * S;
    expect(time.watermark()).toBe(90 * S - WATERMARK_BOUND_US);
  });

  it('a source that is silent for its idle time, or done, steps aside', () => {
    const { time, wait } = keeper();
    const [a, b] = [time.lane('a', 20 * S), time.lane('b', 5 * S)];
    a.maxUs = 100 * S;
    b.maxUs = 90 * S;
    for (const lane of [a, b]) time.arrived(lane);
    wait(6);
    expect(time.watermark()).toBe(100 * S - WATERMARK_BOUND_US);
    b.maxUs = 95 * S;
    time.arrived(b);
    expect(time.watermark()).toBe(95 * S - WATERMARK_BOUND_US);
    b.done = true;
    expect(time.watermark()).toBe(100 * S - WATERMARK_BOUND_US);
  });

  it('when all are idle, time stands where the newest is', () => {
    const { time, wait } = keeper();
    const [a, b] = [time.lane('a'), time.lane('b')];
    a.maxUs = 100 * S;
    b.maxUs = 90 * S;
    wait(3600);
    expect(time.watermark()).toBe(100 * S - WATERMARK_BOUND_US);
  });

  it('a live source that is silent moves by the clock; one of the past does not', () => {
    const { time, wait, now } = keeper();
    const live = time.lane('live');
    live.maxUs = now() - S;
    time.arrived(live);
    wait(0.5);
    expect(time.pass()).toBeNaN();
    wait(30);
    expect(time.pass()).toBe(now() - 2 * S);
    expect(time.watermark()).toBe(now() - 2 * S - WATERMARK_BOUND_US);
    const past = keeper();
    const old = past.time.lane('old');
    old.maxUs = past.now() - 3600 * S;
    past.time.arrived(old);
    past.wait(30);
    expect(past.time.pass()).toBeNaN();
  });

  it('is saved and restored by name', () => {
    const { time } = keeper();
    time.lane('a').maxUs = 100 * S;
    const out = new StateWriter();
    time.save(out);
    const other = keeper().time;
    other.restore(new StateReader(out.concat()));
    expect(other.lane('a').maxUs).toBe(100 * S);
    expect(other.watermark()).toBe(100 * S - WATERMARK_BOUND_US);
  });
});
