/**
 * Zeek's `history` of a connection (docs.zeek.org, `Conn::Info`): a letter for each thing that happened the first time,
 * upper case by the originator, lower case by the responder. S SYN without ACK, H SYN-ACK, A pure ACK, D payload, F FIN,
 * R RST, I FIN and RST, Q SYN with FIN or RST; ^ says that Zeek turned the connection round.
 */
const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const LETTERS = new Uint8Array(26);
for (const [letter, flags] of Object.entries({
  s: SYN,
  h: SYN | ACK,
  a: ACK,
  d: ACK,
  f: FIN,
  r: RST,
  i: FIN | RST,
  q: SYN | FIN,
})) {
  LETTERS[letter.charCodeAt(0) - 97] = flags;
}
/** In the packed history: the first segment was an answer, or the connection began with one. */
export const BEGAN_WITH_ANSWER = 1 << 16;

/** Flags of the originator in the low byte, of the responder in the next, and the bit above. */
export function packHistory(bytes: Uint8Array, from: number, to: number): number {
  let flags = 0;
  let answered = -1;
  for (let i = from; i < to; i++) {
    const letter = (bytes[i] | 32) - 97;
    if (letter < 0 || letter > 25) continue;
    const own = LETTERS[letter];
    if (own === 0) continue;
    if (answered < 0) answered = own === (SYN | ACK) || own === RST ? 1 : 0;
    flags |= bytes[i] & 32 ? own << 8 : own;
  }
  return answered === 1 ? flags | BEGAN_WITH_ANSWER : flags;
}

/** Flags that `conn_state` alone implies, packed the same way. */
export const CONN_STATES = [
  'S0',
  'S1',
  'SF',
  'REJ',
  'S2',
  'S3',
  'RSTO',
  'RSTR',
  'RSTOS0',
  'RSTRH',
  'SH',
  'SHR',
  'OTH',
] as const;
const BOTH = ACK | (ACK << 8);
export const STATE_FLAGS: readonly number[] = [
  SYN,
  SYN | (SYN << 8) | BOTH,
  SYN | (SYN << 8) | FIN | (FIN << 8) | BOTH,
  SYN | ((RST | ACK) << 8),
  SYN | (SYN << 8) | FIN | BOTH,
  SYN | (SYN << 8) | (FIN << 8) | BOTH,
  SYN | (SYN << 8) | RST | BOTH,
  SYN | (SYN << 8) | (RST << 8) | BOTH,
  SYN | RST,
  ((SYN | ACK | RST) << 8) | BEGAN_WITH_ANSWER,
  SYN | FIN,
  ((SYN | ACK | FIN) << 8) | BEGAN_WITH_ANSWER,
  0,
];
