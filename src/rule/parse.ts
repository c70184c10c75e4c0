import type { Text } from '../core/source-file.ts';
import type { Atom, CallNode, ExprNode, MeasureNode, PredicateNode, WindowNode, WithinNode } from './ast.ts';
import { Grammar } from './grammar.ts';
import { lexer } from './tokens.ts';

interface Trees {
  predicate: PredicateNode;
  condition: ExprNode;
  measure: MeasureNode;
  call: CallNode;
  key: Atom;
  window: WindowNode;
  within: WithinNode;
}

const MAX_LENGTH = 8192;
const MAX_DEPTH = 64;

const grammar = new Grammar();

/** The tree of one expression; null when it has errors, all of them reported at their place. */
export function parse<K extends keyof Trees>(kind: K, text: Text): Trees[K] | null {
  if (!isSane(text)) return null;
  const { tokens, errors } = lexer.tokenize(text.value);
  for (const { offset, length } of errors) {
    const odd = text.value.slice(offset, offset + length);
    text.report(offset, 'rule.syntax', `'${odd}' means nothing here`);
  }
  if (errors.length > 0) return null;
  grammar.input = tokens;
  const tree = grammar[kind]() as Trees[K];
  for (const { message, token } of grammar.errors) {
    const offset = Number.isFinite(token.startOffset) && token.startOffset >= 0 ? token.startOffset : text.value.length;
    text.report(offset, 'rule.syntax', message);
  }
  return grammar.errors.length > 0 ? null : tree;
}

const SIGNS = new RegExp(`(?:(?:\\bnot\\b|!|-)\\s*){${MAX_DEPTH},}`);

/** The parser descends by recursion: how deep an expression may go is decided before it starts. */
function isSane(text: Text): boolean {
  const { value } = text;
  let depth = 0;
  let deepest = SIGNS.test(value) ? MAX_DEPTH + 1 : 0;
  for (const letter of value) {
    if (letter === '(') deepest = Math.max(deepest, ++depth);
    else if (letter === ')') depth--;
  }
  if (value.trim() === '') text.report(0, 'rule.syntax', 'an expression is missing');
  else if (value.length > MAX_LENGTH) text.report(0, 'rule.too_long', `longer than ${MAX_LENGTH} characters`);
  else if (deepest > MAX_DEPTH) text.report(0, 'rule.too_deep', `nested deeper than ${MAX_DEPTH} levels`);
  else return true;
  return false;
}
