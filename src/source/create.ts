import { join } from 'node:path';
import type { z } from 'zod';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import { parseDurationUs } from '../core/units.ts';
import type { Source } from '../model/intake.ts';
import type { Names } from '../model/names.ts';
import { LoadSource } from './load-source.ts';
import type { sourceOptions } from './options.ts';
import { SpoolSource } from './spool-source.ts';
import { StdinSource } from './stdin-source.ts';
import { TcpdumpSource } from './tcpdump-source.ts';

/** Packets further out of order than this make a finished file be read in the order of time: the watermark's bound. */
const BOUND_US = 3e6;
const POLL_MS = 2000;

export type CaptureSourceOptions = z.infer<(typeof sourceOptions)[number]>;

export interface CaptureSourceDeps {
  names: Names;
  metrics: Metrics;
  logger: Logger;
  /** What is there now is all there is: a folder is read, not watched. */
  finite: boolean;
}

/** Makes a source of captures or loads; inert until `start`. */
export function createCaptureSource(options: CaptureSourceOptions, deps: CaptureSourceDeps): Source {
  const bounded = { ...deps, boundUs: BOUND_US };
  const spool = { name: options.name, pollMs: POLL_MS, boundUs: BOUND_US };
  switch (options.type) {
    case 'capture':
      return new SpoolSource({ ...spool, pattern: options.path, watch: null }, deps);
    case 'directory': {
      const pollMs = options.poll ? parseDurationUs(options.poll) / 1000 : POLL_MS;
      const watch = deps.finite ? null : options.path;
      return new SpoolSource({ ...spool, pollMs, watch, pattern: join(options.path, options.pattern ?? '*') }, deps);
    }
    case 'load':
      return new LoadSource(options, deps);
    case 'stdin':
      return new StdinSource(options.name, bounded);
    case 'tcpdump':
      return new TcpdumpSource(options, bounded);
  }
}
