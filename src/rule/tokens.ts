import { createToken, Lexer, type TokenType } from 'chevrotain';

/** The words of every small grammar of a rule file; one lexer serves them all. */
export const Text = createToken({ name: 'Text', label: 'a quoted text', pattern: /"[^"\n]*"|'[^'\n]*'/ });
export const Variable = createToken({ name: 'Variable', label: 'a $name', pattern: /\$[A-Za-z_]\w*/ });
export const Mac = createToken({
  name: 'Mac',
  label: 'a MAC address',
  pattern: /[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}(?![0-9a-fA-F:])/,
});
export const Ipv6 = createToken({
  name: 'Ipv6',
  label: 'an address',
  pattern: /(?:[0-9a-fA-F]{0,4}:){2,8}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4})(?:\/\d{1,3})?/,
});
export const Ipv4 = createToken({
  name: 'Ipv4',
  label: 'an address',
  pattern: /\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,3})?/,
});
/** An address field cut to a prefix: `dst.ip/24|64`. */
export const KeyPrefix = createToken({
  name: 'KeyPrefix',
  label: 'an address field with a prefix length',
  pattern: /(?:[a-z]+\.)+ip\/\d{1,3}(?:\|\d{1,3})?/,
});
export const Quantity = createToken({ name: 'Quantity', label: 'a number', pattern: /\d+(?:\.\d+)?[A-Za-z%]*/ });
export const Word = createToken({
  name: 'Word',
  label: 'a name',
  pattern: /[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*/,
});

const keyword = (name: string, label: string, pattern: RegExp): TokenType =>
  createToken({ name, label, pattern, longer_alt: Word });
export const And = keyword('And', "'and'", /and|&&/);
export const Or = keyword('Or', "'or'", /or|\|\|/);
export const Not = keyword('Not', "'not'", /not|!(?!=)/);
export const In = keyword('In', "'in'", /in/);
export const Within = keyword('Within', "'within'", /within/);
export const Where = keyword('Where', "'where'", /where/);

export const Compare = createToken({ name: 'Compare', label: 'a comparison', pattern: />=|<=|==|!=|>|</ });
export const Equals = createToken({ name: 'Equals', label: "'='", pattern: /=/ });
export const Open = createToken({ name: 'Open', label: "'('", pattern: /\(/ });
export const Close = createToken({ name: 'Close', label: "')'", pattern: /\)/ });
export const Comma = createToken({ name: 'Comma', label: "','", pattern: /,/ });
export const Slash = createToken({ name: 'Slash', label: "'/'", pattern: /\// });
export const Star = createToken({ name: 'Star', label: "'*'", pattern: /\*/ });
export const Plus = createToken({ name: 'Plus', label: "'+'", pattern: /\+/ });
export const Minus = createToken({ name: 'Minus', label: "'-'", pattern: /-/ });
const Blank = createToken({ name: 'Blank', pattern: /\s+/, group: Lexer.SKIPPED });

/** Order matters: the first that matches wins. */
export const TOKENS: TokenType[] = [
  Blank,
  Text,
  Variable,
  Mac,
  Ipv6,
  Ipv4,
  KeyPrefix,
  Quantity,
  And,
  Or,
  Not,
  In,
  Within,
  Where,
  Word,
  Compare,
  Equals,
  Open,
  Close,
  Comma,
  Slash,
  Star,
  Plus,
  Minus,
];

export const lexer = new Lexer(TOKENS, { ensureOptimizations: false });
