import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from './options.ts';

const COOKIE = /(?:^|;\s*)weir=([^;]+)/;

/** Who may ask. Without a token only loopback is listened on, and then only pages of this machine may use it. */
export class Guard {
  readonly #token: Buffer | null;

  constructor(token: string | undefined) {
    this.#token = token === undefined ? null : digest(token);
  }

  get needsToken(): boolean {
    return this.#token !== null;
  }

  allows(headers: IncomingHttpHeaders, query: string | undefined): boolean {
    if (this.#token === null) return isLocalName(headers.host);
    const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    const cookie = COOKIE.exec(headers.cookie ?? '')?.[1];
    return [bearer, query, cookie && decoded(cookie)].some((given) => given !== undefined && this.matches(given));
  }

  matches(given: string): boolean {
    return this.#token !== null && timingSafeEqual(digest(given), this.#token);
  }
}

/** A page elsewhere whose name was made to point here (DNS rebinding) still sends its own name. */
function isLocalName(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isLoopback(name);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Of equal length whatever was given, so that the comparison tells nothing. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
