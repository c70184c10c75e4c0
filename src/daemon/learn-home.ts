import { Metrics } from '../core/metrics.ts';
import { Decoder } from '../decode/decode.ts';
import { HomeLearner } from '../meter/meter.ts';
import type { Prefix } from '../model/address.ts';
import { Names } from '../model/names.ts';
import { PacketRows } from '../model/packet-rows.ts';
import { isLoadCsv, openOrdered } from '../source/source.ts';

/** Packets that are looked at. */
const LEARN_PACKETS = 20_000;

/** Home nets, when nobody said them: from the first packets of the files that are there, which are read again later. */
export async function learnHome(paths: readonly string[]): Promise<{ home: Prefix[]; learned: boolean }> {
  const learner = new HomeLearner();
  const metrics = new Metrics();
  const decoder = new Decoder({ names: new Names() }, { metrics });
  const rows = new PacketRows(256);
  const captures = paths.filter((path) => !isLoadCsv(path));
  const stream = openOrdered(captures, { boundUs: Number.POSITIVE_INFINITY });
  let packets = 0;
  for (let run = await stream.next(); run !== null && packets < LEARN_PACKETS; run = await stream.next()) {
    for (let at = run.from; at < run.to; ) {
      at += decoder.decode(run.batch, at, run.to, rows);
      learner.add(rows);
    }
    packets += run.to - run.from;
  }
  stream.close();
  return learner.answer();
}
