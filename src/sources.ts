import { startCollectorWorker } from './collector-thread.ts';
import type { SourceConfig } from './config.ts';
import type { Clock } from './core/clock.ts';
import type { Logger } from './core/logger.ts';
import { Metrics } from './core/metrics.ts';
import { Decoder } from './decode/decode.ts';
import { createCollector } from './exporter/exporter.ts';
import { LiveSource } from './live/live.ts';
import { startLiveWorker } from './live-thread.ts';
import { createLogSource, KafkaSource, SqlSource } from './log/log.ts';
import type { Source } from './model/intake.ts';
import type { Names } from './model/names.ts';
import { createCaptureSource } from './source/source.ts';

export interface SourceDeps {
  names: Names;
  metrics: Metrics;
  logger: Logger;
  clock: Clock;
  /** `--until-done`: what is there now is all there is; a folder is read, not watched. */
  finite: boolean;
  /** Folders of the state, which go to the user whose rights a live source takes. */
  folders: readonly string[];
}

/** Makes the source of an entry of `sources:`; inert until `start`. */
export function createSource(options: SourceConfig, deps: SourceDeps): Source {
  switch (options.type) {
    case 'capture':
    case 'directory':
    case 'load':
    case 'stdin':
    case 'tcpdump':
      return createCaptureSource(options, deps);
    case 'live': {
      const { name, idle, interface: device, filter } = options;
      const tcpdump = {
        name,
        idle,
        type: 'tcpdump',
        interface: device,
        filter,
        snaplen: 262_144,
        command: 'tcpdump',
      } as const;
      return new LiveSource(options, {
        ...deps,
        start: startLiveWorker,
        fallback: () => createCaptureSource(tcpdump, deps),
      });
    }
    case 'kafka':
      return new KafkaSource(options, deps);
    case 'sql':
      return new SqlSource(options, deps);
    case 'log':
      return createLogSource(options, deps);
    case 'netflow':
    case 'ipfix':
    case 'sflow':
      // Packets inside records are counted apart from those of captures.
      return createCollector(options, {
        ...deps,
        frames: new Decoder({ names: deps.names }, { metrics: new Metrics() }),
        startWorker: startCollectorWorker,
      });
  }
}
