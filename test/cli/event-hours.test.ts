import { expect, test } from 'vitest';
import { EventHours } from '../../src/cli/event-hours.ts';

const HOUR_US = 3600e6;
const STEP_US = 300e6;

function published(fromHour: number, toHour: number, nowHour: number): number {
  let count = 0;
  const hours = new EventHours(
    () => count++,
    () => nowHour * HOUR_US,
    STEP_US,
  );
  for (let t = fromHour * HOUR_US; t <= toHour * HOUR_US; t += STEP_US) for (let i = 0; i < 3; i++) hours.point(t);
  return count;
}

test('the past is published once an hour of event time, however many points an hour has', () => {
  expect(published(100, 110, 1000)).toBe(10);
});

test('the present is left to the clock, and so is time that goes back', () => {
  expect(published(100, 110, 111)).toBe(9);
  expect(published(100, 110, 50)).toBe(0);
});

test('a run that was cut publishes the hours that it had yet to publish, and no others', () => {
  const times = (from: number, to: number) => {
    const told: number[] = [];
    let at = 0;
    const hours = new EventHours(
      () => told.push(at),
      () => 1000 * HOUR_US,
      STEP_US,
    );
    for (at = from; at <= to; at += STEP_US) hours.point(at);
    return told;
  };
  const end = 110 * HOUR_US;
  const whole = times(100 * HOUR_US, end);
  for (const cut of [103 * HOUR_US, 103 * HOUR_US + STEP_US, 103 * HOUR_US + 2 * STEP_US]) {
    expect([...times(100 * HOUR_US, cut - STEP_US), ...times(cut, end)]).toEqual(whole);
  }
});
