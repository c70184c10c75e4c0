/** Longest message of one block: 64 bytes without the end mark and the length. */
export const SHA1_SHORT = 55;

const BLOCK = new Uint8Array(64);
const VIEW = new DataView(BLOCK.buffer);
const W = new Int32Array(80);

/**
 * SHA-1 (FIPS 180-4) of the first `length` bytes, at most `SHA1_SHORT`, into five words. For the identifiers of flow
 * records: a call of `node:crypto` takes three times as long for a message of one block (test/perf/text.ts).
 */
export function sha1Short(message: Uint8Array, length: number, digest: Int32Array): void {
  for (let i = 0; i < length; i++) BLOCK[i] = message[i];
  BLOCK[length] = 0x80;
  for (let i = length + 1; i < 62; i++) BLOCK[i] = 0;
  VIEW.setUint16(62, 8 * length);
  for (let i = 0; i < 16; i++) W[i] = VIEW.getInt32(4 * i);
  expand();
  rounds(digest);
}

function expand(): void {
  for (let i = 16; i < 80; i++) {
    const w = W[i - 3] ^ W[i - 8] ^ W[i - 14] ^ W[i - 16];
    W[i] = (w << 1) | (w >>> 31);
  }
}

function rounds(digest: Int32Array): void {
  let a = 0x67452301;
  let b = 0xefcdab89 | 0;
  let c = 0x98badcfe | 0;
  let d = 0x10325476;
  let e = 0xc3d2e1f0 | 0;
  for (let i = 0; i < 80; i++) {
    let f = 0;
    if (i < 20) f = (((b & c) | (~b & d)) + 0x5a827999) | 0;
    else if (i < 40) f = ((b ^ c ^ d) + 0x6ed9eba1) | 0;
    else if (i < 60) f = (((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc) | 0;
    else f = ((b ^ c ^ d) + 0xca62c1d6) | 0;
    const t = (((a << 5) | (a >>> 27)) + f + e + W[i]) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = t;
  }
  digest[0] = a + 0x67452301;
  digest[1] = b + 0xefcdab89;
  digest[2] = c + 0x98badcfe;
  digest[3] = d + 0x10325476;
  digest[4] = e + 0xc3d2e1f0;
}
