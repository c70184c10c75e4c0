import type { ArgumentNode, Atom, CallNode, ExprNode, MeasureNode, WindowNode, WithinNode } from './ast.ts';
import { EMPTY, PredicateGrammar, toAtom } from './predicate-grammar.ts';
import * as t from './tokens.ts';

/**
 * The small grammars of the slots `match`, `by`, `window`, `measure`, `when`, `evidence` and `suppresses`, as one
 * LL(2) parser that goes on after an error, so that one run reports them all.
 */
export class Grammar extends PredicateGrammar {
  constructor() {
    super();
    this.performSelfAnalysis();
  }

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
