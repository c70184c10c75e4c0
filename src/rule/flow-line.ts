import type { Text } from '../core/source-file.ts';
import { parseDurationUs } from '../core/units.ts';
import { parsePrefix } from '../model/address.ts';
import { BLANK, fillIn, ITEMS } from './flow-items.ts';
import type { FlowLine, Side } from './flow-step.ts';
import { own } from './own.ts';
import { portNumber, protocolNumbers } from './selector.ts';
import { suggestion } from './suggest.ts';

/** One side of a flow line: every address of a net, every port of a range. */
interface Token {
  text: string;
  start: number;
  quoted: boolean;
}

const MAX_STEPS = 1_000_000;

/** Reads one line; null when it has errors, all of them reported. */
export function parseFlowLine(text: Text): FlowLine | null {
  const colon = text.value.search(/:\s/);
  if (colon < 0) {
    text.report(
      0,
      'test.flow',
      'a flow line is TIME: PROTOCOL SOURCE -> DESTINATION ...',
      'such as 0s..60s every 1s: tcp ...',
    );
    return null;
  }
  const reader = new FlowLineReader(text, colon);
  return reader.read();
}

class FlowLineReader {
  readonly #text: Text;
  readonly #colon: number;
  readonly #tokens: Token[];
  #next = 0;
  #ok = true;
  /** Words that were there, to fill in what was not said. */
  readonly #given = new Set<string>();

  constructor(text: Text, colon: number) {
    this.#text = text;
    this.#colon = colon;
    this.#tokens = tokenize(text.value, colon + 1);
  }

  read(): FlowLine | null {
    const line: FlowLine = { ...BLANK, ...this.#times() };
    this.#protocol(line);
    while (this.#next < this.#tokens.length) this.#item(line);
    if (!this.#given.has('->') && this.#ok) this.#fail(this.#text.value.length, 'SOURCE -> DESTINATION is missing');
    if (this.#ok) fillIn(line, this.#given);
    return this.#ok ? line : null;
  }

  #fail(at: number, message: string, hint?: string): void {
    this.#text.report(at, 'test.flow', message, hint);
    this.#ok = false;
  }

  #take(): Token {
    const end = this.#text.value.length;
    return this.#tokens[this.#next++] ?? { text: '', start: end, quoted: false };
  }

  /** `0s..60s every 1s` or `30s`. */
  #times(): Pick<FlowLine, 'fromUs' | 'toUs' | 'everyUs'> {
    const head = this.#text.value.slice(0, this.#colon);
    const match = /^\s*(\S+?)(?:\.\.(\S+))?(?:\s+every\s+(\S+))?\s*$/.exec(head);
    const fromUs = parseDurationUs(match?.[1] ?? '');
    const toUs = match?.[2] === undefined ? fromUs + 1 : parseDurationUs(match[2]);
    const everyUs = parseDurationUs(match?.[3] ?? '1s');
    if (!(toUs > fromUs) || !(everyUs > 0)) this.#fail(0, `'${head}' is no time`, 'write 30s or 0s..60s every 1s');
    else if ((toUs - fromUs) / everyUs > MAX_STEPS) this.#fail(0, `more than ${MAX_STEPS} steps`);
    return { fromUs, toUs, everyUs };
  }

  #protocol(line: FlowLine): void {
    const token = this.#take();
    const numbers = token.text === 'icmp' ? [1] : protocolNumbers(token.text);
    if (token.text === 'metric') this.#metric(line);
    else if (token.text === 'arp') line.proto = null;
    else if (numbers) line.proto = numbers[0];
    else
      this.#fail(
        token.start,
        `'${token.text}' is no protocol`,
        suggestion(token.text, ['tcp', 'udp', 'icmp', 'icmp6', 'arp']),
      );
  }

  /** Has no ends, so none are missing. */
  #metric(line: FlowLine): void {
    line.metric = this.#take().text.toLowerCase();
    line.exporter = 'weir';
    this.#given.add('->').add('flows');
    line.flows = 1;
  }

  #item(line: FlowLine): void {
    const token = this.#take();
    const side = this.#side(token);
    if (side) {
      this.#sides(line, side);
      return;
    }
    const next = this.#tokens[this.#next];
    const two = `${token.text} ${next?.text}`;
    const item = own(ITEMS, two) ?? own(ITEMS, token.text);
    if (!item) {
      this.#fail(token.start, `'${token.text}' means nothing here`, suggestion(token.text, Object.keys(ITEMS)));
      return;
    }
    const name = own(ITEMS, two) ? two : token.text;
    if (own(ITEMS, two)) this.#next++;
    this.#given.add(name);
    const value = item.takes ? this.#take() : null;
    if (!item.set(line, value?.text ?? ''))
      this.#fail(value?.start ?? token.start, `'${value?.text}' does not fit ${name}`);
  }

  #sides(line: FlowLine, source: Side): void {
    const arrow = this.#take();
    const token = this.#take();
    const destination = this.#side(token);
    if (arrow.text !== '->') this.#fail(arrow.start, "'->' is missing between source and destination");
    else if (!destination) this.#fail(token.start, `'${token.text}' is no address and no net`);
    if (!destination) return;
    this.#given.add('->');
    line.source = source;
    line.destination = destination;
  }

  /** `192.0.2.7`, `198.51.100.0/24:53`, `[2001:db8::/64]:1-1000`. */
  #side({ text, quoted }: Token): Side | null {
    if (quoted) return null;
    const match = /^\[([^\]]+)\](?::([\w-]+))?$/.exec(text) ??
      /^(\d+\.\d+\.\d+\.\d+(?:\/\d+)?)(?::([\w-]+))?$/.exec(text) ?? [text, text];
    const net = parsePrefix(match[1] ?? '');
    if (!net) return null;
    if (match[2] === undefined) return { net, ports: null };
    const [from, to] = match[2].split('-').map((port) => portNumber(port));
    return Number.isNaN(from) || (to !== undefined && !(to >= from)) ? null : { net, ports: { from, to: to ?? from } };
  }
}

function tokenize(text: string, from: number): Token[] {
  const pattern = /"([^"]*)"|\S+/g;
  pattern.lastIndex = from;
  const tokens: Token[] = [];
  for (const match of text.matchAll(pattern)) {
    tokens.push({ text: match[1] ?? match[0], start: match.index, quoted: match[1] !== undefined });
  }
  return tokens;
}
