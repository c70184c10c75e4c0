import { renderTransition } from '../alert/alert.ts';
import { type LineWriter, wantsColour } from '../core/output.ts';
import type { Transition } from '../model/alert.ts';
import type { Key } from '../model/window-result.ts';
import type { ReplayHooks, ReplayOutcome } from '../pipeline.ts';
import type { Notifier } from './notifier.ts';
import type { PlotBook } from './plot-book.ts';
import { notice, Progress } from './progress.ts';
import type { ReplayStore } from './replay-store.ts';
import { homeLine, printReport, type RunFacts } from './report.ts';
import { Talkers } from './talkers.ts';

export interface SessionOptions {
  json: boolean;
  store: ReplayStore | null;
  notifier: Notifier | null;
  plots: PlotBook;
  speedOf: (key: Key) => number;
}

/** One replay as a person or a script sees it. */
export class ReplaySession {
  readonly hooks: ReplayHooks;
  readonly #out: LineWriter;
  readonly #json: boolean;
  readonly #talkers = new Talkers();
  readonly #progress = new Progress();
  readonly #raised: RunFacts['raised'] = new Map();
  readonly #startMs = performance.now();
  readonly #speedOf: (key: Key) => number;
  #rules = 0;

  constructor(out: LineWriter, options: SessionOptions) {
    const { json, store, notifier, plots } = options;
    this.#out = out;
    this.#json = json;
    this.#speedOf = options.speedOf;
    this.hooks = {
      transition: (transition) => {
        store?.transition(transition, (fresh) => notifier?.enqueue(fresh));
        this.#print(transition);
      },
      evaluation: (evaluation) => {
        plots.add(evaluation);
        store?.evaluation(evaluation);
      },
      records: (batch) => {
        if (!json) this.#talkers.add(batch);
        store?.records(batch);
      },
      series: store ? (name, timeUs, value) => store.series(name, timeUs, value) : undefined,
      notice: (message) => this.#say(message),
      home: (nets, learned, rules) => {
        this.#rules = rules;
        this.#say(`home is ${homeLine(nets)}${learned ? ', learned from the traffic (--home says otherwise)' : ''}`);
      },
      progress: (share, packets) => this.#progress.update(share, packets),
      settle: store ? () => store.settle() : undefined,
    };
  }

  end(outcome: ReplayOutcome, files: number): void {
    this.#progress.stop();
    for (const { file, error } of outcome.errors) notice(`${file}: ${error.message} (at byte ${error.offset})`);
    if (this.#json) return;
    const seconds = (performance.now() - this.#startMs) / 1000;
    const facts = { files, seconds, rules: this.#rules, raised: this.#raised, speedOf: this.#speedOf };
    printReport(this.#out, outcome.engine, this.#talkers, facts);
  }

  #say(message: string): void {
    this.#progress.clear();
    notice(message);
  }

  #print(transition: Transition): void {
    if (this.#json) this.#out.json(transition);
    else {
      this.#progress.clear();
      for (const line of renderTransition(transition, { colour: wantsColour() })) this.#out.line(line);
      this.#out.flush();
    }
    if (transition.state !== 'firing' && transition.state !== 'escalated') return;
    const { rule, title, severity } = transition;
    const known = this.#raised.get(rule);
    const count = (known?.count ?? 0) + (transition.state === 'firing' ? 1 : 0);
    this.#raised.set(rule, { title, severity: known?.severity === 'critical' ? 'critical' : severity, count });
  }
}
