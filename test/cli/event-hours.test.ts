import { expect, test } from 'vitest';
import { EventHours } from '../../src/cli/event-hours.ts';

const HOUR_US = 3600e6;
const STEP_US = 300e6;

function published(fromHour: number, toHour: number, nowHour: number): number {
  let count = 0;
  const hours = new EventHours(
    () => count++,
    () => nowHour * HOUR_US,
  );
  for (let t = fromHour * HOUR_US; t <= toHour * HOUR_US; t += STEP_US) for (let i = 0; i < 3; i++) hours.point(t);
  return count;
}

test('the past is published once an hour of event time, however many points an hour has', () => {
  expect(published(100, 110, 1000)).toBe(10);
});

test('the present is left to the clock, and so is time that goes back', () => {
  expect(published(100, 110, 111)).toBe(8);
  expect(published(100, 110, 50)).toBe(0);
});
