import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Metrics } from './core/metrics.ts';
import { StateReader, StateWriter } from './core/state.ts';
import { Detect } from './detect/detect.ts';
import { baselines, forecasters } from './forecast/forecast.ts';
import { FlowRingReader } from './model/flow-ring.ts';
import { Names } from './model/names.ts';
import { ANSWERED, type Answer, type Closed, ENTRY, type RuleState, type RuleWorkerData } from './rule-thread.ts';
import { WindowStage } from './window/window.ts';

/** Some rules of the engine on a thread of their own: their windows and their judges, nothing else. */
const WAIT_MS = 1000;

const { memory, answered, port, rules, seed } = workerData as RuleWorkerData;
const ring = new FlowRingReader(memory);
const answers = new Int32Array(answered);
const metrics = new Metrics();
let evaluations: Closed['evaluations'] = [];

const detect = new Detect(rules, {
  baseline: baselines,
  forecast: forecasters,
  metrics,
  interfaceSpeed: () => Number.NaN,
  onEvaluation: ({ rule: _, ...evaluation }) => evaluations.push(evaluation),
});
const windows = new WindowStage(rules, {
  names: new Names(),
  metrics,
  onResults: (results) => detect.results(results),
  watched: (index) => detect.watched(index),
  limits: { seed, recentRows: 0 },
});

function close(watermarkUs: number): Closed {
  windows.advance(watermarkUs);
  const closed = evaluations;
  evaluations = [];
  // Other counters are of rows, which the engine counts itself.
  const counters = metrics.all().filter(({ name, value }) => value > 0 && name.includes('{rule='));
  return { evaluations: closed, counts: counters.map(({ name, help, value }) => ({ name, help, value })) };
}

function save(): RuleState {
  const parts = { windows: new StateWriter(), detect: new StateWriter() };
  windows.saveTables(parts.windows);
  detect.save(parts.detect);
  return { windows: parts.windows.concat(), detect: parts.detect.concat() };
}

function restore(): void {
  const state = receiveMessageOnPort(port)!.message as RuleState;
  windows.restore(new StateReader(state.windows));
  detect.restore(new StateReader(state.detect));
}

/** What the entry asks for; null where it asks for nothing. */
function take(): Answer | null {
  switch (ring.kind) {
    case ENTRY.rows:
      windows.add(ring.batch);
      return null;
    case ENTRY.advance:
      windows.advance(ring.value);
      return null;
    case ENTRY.close:
      return { closed: close(ring.value) };
    case ENTRY.save:
      return { state: save() };
    default:
      restore();
      return { restored: true };
  }
}

function answer(message: Answer): void {
  port.postMessage(message);
  Atomics.add(answers, ANSWERED, 1);
  Atomics.notify(answers, ANSWERED);
}

function next(): void {
  while (!ring.next()) ring.wait(WAIT_MS);
}

for (;;) {
  next();
  try {
    const found = take();
    if (found) answer(found);
  } catch (error) {
    // Rows are taken without an answer: the next question is told of it.
    while (ring.kind < ENTRY.close) next();
    answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}
