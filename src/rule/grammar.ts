import { EmbeddedActionsParser, type IParserErrorMessageProvider, type IToken, tokenLabel } from 'chevrotain';
import type {
  ArgumentNode,
  Atom,
  AtomKind,
  CallNode,
  ExprNode,
  MeasureNode,
  PredicateNode,
  TermNode,
  ValueNode,
  WindowNode,
  WithinNode,
} from './ast.ts';
import * as t from './tokens.ts';

const EMPTY: Atom = { kind: 'quantity', text: '0s', start: 0, end: 0 };

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
function toAtom(token: IToken): Atom {
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

/**
 * The small grammars of the slots `match`, `by`, `window`, `measure`, `when`, `evidence` and `suppresses`, as one
 * LL(2) parser that goes on after an error, so that one run reports them all.
 */
export class Grammar extends EmbeddedActionsParser {
  constructor() {
    super(t.TOKENS, { recoveryEnabled: true, maxLookahead: 2, errorMessageProvider });
    this.performSelfAnalysis();
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
      { ALT: () => values.push(this.SUBRULE1(this.value)) },
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

  /** A condition: `pps > 4 * $syn_pps and est < 0.2`. */
  condition = this.RULE('condition', (): ExprNode => {
    const args: ExprNode[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: t.Or, DEF: () => args.push(this.SUBRULE(this.allOf)) });
    return args.length === 1 ? args[0] : { kind: 'logic', op: 'or', args };
  });

  private allOf = this.RULE('allOf', (): ExprNode => {
    const args: ExprNode[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: t.And, DEF: () => args.push(this.SUBRULE(this.negation)) });
    return args.length === 1 ? args[0] : { kind: 'logic', op: 'and', args };
  });

  private negation = this.RULE(
    'negation',
    (): ExprNode =>
      this.OR([
        {
          ALT: (): ExprNode => {
            const { startOffset: start } = this.CONSUME(t.Not);
            return { kind: 'not', arg: this.SUBRULE(this.negation), start };
          },
        },
        { ALT: (): ExprNode => this.SUBRULE(this.comparison) },
      ]),
  );

  private comparison = this.RULE('comparison', (): ExprNode => {
    let left = this.SUBRULE(this.sum);
    this.OPTION(() => {
      const op = toAtom(this.OR([{ ALT: () => this.CONSUME(t.Compare) }, { ALT: () => this.CONSUME(t.Equals) }]));
      left = { kind: 'binary', op, left, right: this.SUBRULE1(this.sum) };
    });
    return left;
  });

  private sum = this.RULE('sum', (): ExprNode => {
    let left = this.SUBRULE(this.product);
    this.MANY(() => {
      const op = toAtom(this.OR([{ ALT: () => this.CONSUME(t.Plus) }, { ALT: () => this.CONSUME(t.Minus) }]));
      left = { kind: 'binary', op, left, right: this.SUBRULE1(this.product) };
    });
    return left;
  });

  private product = this.RULE('product', (): ExprNode => {
    let left = this.SUBRULE(this.operand);
    this.MANY(() => {
      const op = toAtom(this.OR([{ ALT: () => this.CONSUME(t.Star) }, { ALT: () => this.CONSUME(t.Slash) }]));
      left = { kind: 'binary', op, left, right: this.SUBRULE1(this.operand) };
    });
    return left;
  });

  private operand = this.RULE(
    'operand',
    (): ExprNode =>
      this.OR([
        {
          ALT: (): ExprNode => {
            const { startOffset: start } = this.CONSUME(t.Minus);
            return { kind: 'neg', arg: this.SUBRULE(this.operand), start };
          },
        },
        {
          ALT: (): ExprNode => {
            this.CONSUME(t.Open);
            const inner = this.SUBRULE(this.condition);
            this.CONSUME(t.Close);
            return inner;
          },
        },
        { GATE: () => this.LA(2).tokenType === t.Open, ALT: (): ExprNode => this.SUBRULE(this.call) },
        {
          ALT: (): ExprNode => ({
            kind: 'atom',
            atom: toAtom(
              this.OR1([
                { ALT: () => this.CONSUME(t.Quantity) },
                { ALT: () => this.CONSUME(t.Variable) },
                { ALT: () => this.CONSUME(t.KeyPrefix) },
                { ALT: () => this.CONSUME(t.Word) },
              ]),
            ),
          }),
        },
      ]),
  );

  /** `topk(10, src.ip, packets)`. */
  call = this.RULE('call', (): CallNode => {
    const name = toAtom(this.CONSUME(t.Word));
    const args: ArgumentNode[] = [];
    this.CONSUME(t.Open);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => args.push(this.SUBRULE(this.argument)) });
    const close = this.CONSUME(t.Close);
    return { kind: 'call', name, args, start: name.start, end: close.startOffset + 1 };
  });

  private argument = this.RULE('argument', (): ArgumentNode => {
    let name: Atom | null = null;
    this.OPTION({
      GATE: () => this.LA(2).tokenType === t.Equals,
      DEF: () => {
        name = toAtom(this.CONSUME(t.Word));
        this.CONSUME(t.Equals);
      },
    });
    return { name, value: this.SUBRULE(this.sum) };
  });

  measure = this.RULE('measure', (): MeasureNode => {
    const node: MeasureNode = { call: this.SUBRULE(this.call), where: null };
    this.OPTION(() => {
      this.CONSUME(t.Where);
      node.where = this.SUBRULE(this.predicate);
    });
    return node;
  });

  key = this.RULE(
    'key',
    (): Atom => toAtom(this.OR([{ ALT: () => this.CONSUME(t.Word) }, { ALT: () => this.CONSUME(t.KeyPrefix) }])),
  );

  /** `30s`, `60s/10s` or `session 5m`. */
  window = this.RULE('window', (): WindowNode => {
    const node: WindowNode = { word: null, size: EMPTY, slide: null };
    this.OPTION(() => {
      node.word = toAtom(this.CONSUME(t.Word));
    });
    node.size = toAtom(this.CONSUME(t.Quantity));
    this.OPTION1(() => {
      this.CONSUME(t.Slash);
      node.slide = toAtom(this.CONSUME1(t.Quantity));
    });
    return node;
  });

  /** `dst.ip within key`. */
  within = this.RULE('within', (): WithinNode => {
    const left = toAtom(this.CONSUME(t.Word));
    this.CONSUME(t.Within);
    return { left, right: toAtom(this.CONSUME1(t.Word)) };
  });
}
