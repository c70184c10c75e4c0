/** Offsets into an expression's own text. */
export interface Span {
  start: number;
  end: number;
}

export type AtomKind = 'word' | 'variable' | 'quantity' | 'address' | 'mac' | 'string' | 'key';

/** One literal or name. `text` is as written; of a string, what stands between its quotes. */
export interface Atom extends Span {
  kind: AtomKind;
  text: string;
}

/** One value of a list; `to` makes it a closed range (`1000-2000`). */
export interface ValueNode {
  from: Atom;
  to: Atom | null;
}

/** `dst port in (22, 3389)`: words first, then, where there is one, an operator and its values. */
export interface TermNode {
  kind: 'term';
  words: Atom[];
  op: Atom | null;
  negated: boolean;
  values: ValueNode[];
}

export type PredicateNode =
  | TermNode
  | { kind: 'macro'; name: Atom }
  | { kind: 'and' | 'or'; args: PredicateNode[] }
  | { kind: 'not'; arg: PredicateNode };

export interface ArgumentNode {
  name: Atom | null;
  value: ExprNode;
}

export interface CallNode extends Span {
  kind: 'call';
  name: Atom;
  args: ArgumentNode[];
}

export type ExprNode =
  | { kind: 'atom'; atom: Atom }
  | CallNode
  | { kind: 'binary'; op: Atom; left: ExprNode; right: ExprNode }
  | { kind: 'logic'; op: 'and' | 'or'; args: ExprNode[] }
  | { kind: 'not' | 'neg'; arg: ExprNode; start: number };

export interface MeasureNode {
  call: CallNode;
  where: PredicateNode | null;
}

export interface WindowNode {
  word: Atom | null;
  size: Atom;
  slide: Atom | null;
}

export interface WithinNode {
  left: Atom;
  right: Atom;
}

/** Where an expression begins: the place errors about the whole of it point to. */
export function startOf(node: ExprNode): number {
  switch (node.kind) {
    case 'atom':
      return node.atom.start;
    case 'binary':
      return startOf(node.left);
    case 'logic':
      return startOf(node.args[0]);
    default:
      return node.start;
  }
}
