import { setProtocol } from './ip-header.ts';
import { END, EXTENSIONS } from './step-codes.ts';
import type { Walk } from './walk.ts';

/*
 * Authentication header (RFC 4302, section 2): 0 next header   1 length in words less 2   4 SPI   8 sequence ...
 * What follows is in clear, so it is stepped over, in IPv4 as in IPv6.
 */
export function ah(walk: Walk): number {
  if (walk.lacks(12)) return END;
  const { data, at } = walk;
  walk.type = data[at];
  setProtocol(walk, walk.type);
  walk.at = at + 4 * (data[at + 1] + 2);
  return EXTENSIONS;
}
