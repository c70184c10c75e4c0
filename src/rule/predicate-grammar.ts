import { EmbeddedActionsParser, type IParserErrorMessageProvider, type IToken, tokenLabel } from 'chevrotain';
import type { Atom, AtomKind, PredicateNode, TermNode, ValueNode } from './ast.ts';
import * as t from './tokens.ts';

export const EMPTY: Atom = { kind: 'quantity', text: '0s', start: 0, end: 0 };

const KINDS: Record<string, AtomKind> = {
  Text: 'string',
  Variable: 'variable',
  Mac: 'mac',
  Ipv6: 'address',
  Ipv4: 'address',
  KeyPrefix: 'key',
  Quantity: 'quantity',
};

/** While the parser studies its own rules there are no tokens yet, only places for them. */
export function toAtom(token: IToken): Atom {
  if (token.tokenType === undefined) return EMPTY;
  const kind = KINDS[token.tokenType.name] ?? 'word';
  const text = kind === 'string' ? token.image.slice(1, -1) : token.image;
  return { kind, text, start: token.startOffset, end: token.startOffset + token.image.length };
}

const seen = (token: IToken) => (token.image === '' ? 'the end' : `'${token.image}'`);

const errorMessageProvider: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, actual }) => `expected ${tokenLabel(expected)}, found ${seen(actual)}`,
  buildNotAllInputParsedMessage: ({ firstRedundant }) =>
    `${seen(firstRedundant)} does not fit here; join conditions with and, or`,
  buildNoViableAltMessage: ({ expectedPathsPerAlt, actual }) =>
    `expected ${alternatives(expectedPathsPerAlt.flat())}, found ${seen(actual[0])}`,
  buildEarlyExitMessage: ({ expectedIterationPaths, actual }) =>
    `expected ${alternatives(expectedIterationPaths)}, found ${seen(actual[0])}`,
};

function alternatives(paths: Parameters<typeof tokenLabel>[0][][]): string {
  const labels = [...new Set(paths.map((path) => tokenLabel(path[0])))];
  const last = labels.pop() ?? 'something else';
  return labels.length === 0 ? last : `${labels.join(', ')} or ${last}`;
}

/** The grammar of `match` and `where`: conditions on one row. */
export class PredicateGrammar extends EmbeddedActionsParser {
  constructor() {
    super(t.TOKENS, { recoveryEnabled: true, maxLookahead: 2, errorMessageProvider });
  }

  predicate = this.RULE('predicate', (): PredicateNode => {
    const args: PredicateNode[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: t.Or, DEF: () => args.push(this.SUBRULE(this.conjunction)) });
    return args.length === 1 ? args[0] : { kind: 'or', args };
  });

  private conjunction = this.RULE('conjunction', (): PredicateNode => {
    const args: PredicateNode[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: t.And, DEF: () => args.push(this.SUBRULE(this.factor)) });
    return args.length === 1 ? args[0] : { kind: 'and', args };
  });

  private factor = this.RULE(
    'factor',
    (): PredicateNode =>
      this.OR([
        {
          ALT: (): PredicateNode => {
            this.CONSUME(t.Not);
            return { kind: 'not', arg: this.SUBRULE(this.factor) };
          },
        },
        {
          ALT: (): PredicateNode => {
            this.CONSUME(t.Open);
            const inner = this.SUBRULE(this.predicate);
            this.CONSUME(t.Close);
            return inner;
          },
        },
        { ALT: (): PredicateNode => ({ kind: 'macro', name: toAtom(this.CONSUME(t.Variable)) }) },
        { ALT: (): PredicateNode => this.SUBRULE(this.term) },
      ]),
  );

  private term = this.RULE('term', (): TermNode => {
    const term: TermNode = { kind: 'term', words: [], op: null, negated: false, values: [] };
    this.AT_LEAST_ONE(() => term.words.push(toAtom(this.CONSUME(t.Word))));
    this.OPTION(() => {
      this.OR([
        {
          ALT: () => {
            this.OPTION1(() => {
              this.CONSUME(t.Not);
              term.negated = true;
            });
            term.op = toAtom(this.OR1([{ ALT: () => this.CONSUME(t.In) }, { ALT: () => this.CONSUME(t.Within) }]));
            term.values = this.SUBRULE(this.list);
          },
        },
        {
          ALT: () => {
            term.op = toAtom(this.OR2([{ ALT: () => this.CONSUME(t.Compare) }, { ALT: () => this.CONSUME(t.Equals) }]));
            term.values = [this.SUBRULE(this.value)];
          },
        },
        { ALT: () => (term.values = [this.SUBRULE1(this.value)]) },
      ]);
    });
    return term;
  });

  private list = this.RULE('list', (): ValueNode[] => {
    const values: ValueNode[] = [];
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Open);
          this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => values.push(this.SUBRULE(this.value)) });
          this.CONSUME(t.Close);
        },
      },
      {
        ALT: () => {
          values.push(this.SUBRULE1(this.value));
          // `in feed NAME`
          this.OPTION({
            GATE: () => values[0]?.from.text === 'feed',
            DEF: () => values.push({ from: toAtom(this.CONSUME(t.Word)), to: null }),
          });
        },
      },
    ]);
    return values;
  });

  private value = this.RULE('value', (): ValueNode => {
    const value: ValueNode = { from: this.SUBRULE(this.literal), to: null };
    this.OPTION(() => {
      this.CONSUME(t.Minus);
      value.to = toAtom(this.CONSUME(t.Quantity));
    });
    return value;
  });

  private literal = this.RULE(
    'literal',
    (): Atom =>
      toAtom(
        this.OR([
          { ALT: () => this.CONSUME(t.Quantity) },
          { ALT: () => this.CONSUME(t.Ipv4) },
          { ALT: () => this.CONSUME(t.Ipv6) },
          { ALT: () => this.CONSUME(t.Mac) },
          { ALT: () => this.CONSUME(t.Text) },
          { ALT: () => this.CONSUME(t.Variable) },
          { ALT: () => this.CONSUME(t.Word) },
        ]),
      ),
  );
}
