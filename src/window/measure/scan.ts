import { BIFLOW, FIRST, INITIATOR_KNOWN, IS_ICMP_ERROR, UNASKED } from '../../model/flow-batch.ts';
import type { Deferral } from '../deferral.ts';
import { both } from '../layout.ts';
import type { Pane } from '../pane.ts';
import type { MeasureCode, MeasureCompiler } from './measure.ts';
import { Walks } from './walks.ts';

const SYN = 2;
const RST = 4;
const ACK = 16;
const FRESH = `(meta[i]&${FIRST | UNASKED | IS_ICMP_ERROR})===${FIRST}`;
const OPENED = `(meta[i]&${INITIATOR_KNOWN})!==0&&(r&1)===0`;
const LONE = `proto[i]!==6||(flags[r]&${SYN | ACK})===${SYN}`;
/** Flows that a SYN-ACK began are `unasked`, so the initiator of a contact is always the first direction. */
const CONTACT = `(${FRESH}&&((meta[i]&${BIFLOW})!==0?${OPENED}:(${LONE})))`;
const TCP_ANSWER = `(flags[r^1]&${SYN})!==0||((flags[r]&${SYN})===0&&(flags[r^1]&${ACK | RST})===${ACK})`;
const ANSWERED = `((meta[i]&${BIFLOW})!==0&&(proto[i]===6?${TCP_ANSWER}:packets[r^1]>0))`;

/**
 * Scan detection by threshold random walk (Jung et al., "Fast Portscan Detection Using Sequential Hypothesis Testing",
 * 2004) over first contacts. Contacts of a pane are applied when it closes, in the order of time, so the order in which
 * rows came does not matter; of two at the same time the answered one comes first.
 */
export const scan: MeasureCompiler = (measure, where, layout, context): MeasureCode => {
  const amounts = [
    { code: `2*startUs[i]+(${ANSWERED}?0:1)`, merge: 'min' as const },
    { code: '0', merge: 'max' as const },
  ];
  const pair = layout.pair(measure.of, both(CONTACT, where), { amounts, log: true, loose: true });
  const contacts = layout.keep('sum');
  // Where the window is one pane, the walk's end is known when the pane closes.
  const level = context.single ? layout.keep('own') : -1;
  const walks = new Walks(measure.params, { pair, contacts, level }, context.maxKeys);
  const dropped = context.dropped('scan');
  const common = {
    paneClosed(pane: Pane, deferral: Deferral | null): void {
      walks.learn(pane, deferral);
      dropped.value = walks.dropped;
    },
    memory: walks,
  };
  const paneSettled = (pane: Pane): void => walks.settle(pane);
  const own = `D[d+${level}]`;
  if (level >= 0) return { ...common, value: own, peak: own, raises: level, paneSettled };
  return { ...common, value: '0', finish: (view, out, width, column) => walks.write(view, out, width, column) };
};
