import { workerData } from 'node:worker_threads';
import { Metrics } from './core/metrics.ts';
import { Decoder } from './decode/decode.ts';
import { CollectorLoop, type CollectorWorkerData } from './exporter/exporter.ts';
import { Names } from './model/names.ts';

/** A thread of a collector, with the packet decoder for packets inside records; those are counted apart from captures'. */
const data = workerData as CollectorWorkerData;
const names = new Names(data.share);
const frames = new Decoder({ names }, { metrics: new Metrics() });
new CollectorLoop(data, { names, metrics: new Metrics(), frames }).run();
