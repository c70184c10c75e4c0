import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import * as R from '../../src/model/packet-rows.ts';
import { decodeFrames, hex } from './frames.ts';
import { eth, h, ip4, overUdp, sizeOf } from './packets.ts';

const text = (ascii: string): string => Buffer.from(ascii, 'latin1').toString('hex');
const labels = (name: string): string =>
  `${name
    .split('.')
    .map((label) => h(label.length, 2) + text(label))
    .join('')}00`;

/** A message: flags, questions, answers, and what follows the header. */
const message = (flags: string, questions: number, answers: number, body: string): string =>
  `0001 ${flags} ${h(questions)} ${h(answers)} 0000 0000 ${body}`;
const query = (name: string, type: number): string => message('0100', 1, 0, `${labels(name)} ${h(type)} 0001`);
const overTcp = (source: number, destination: number, payload: string): string =>
  eth(0x0800, ip4(6, `${h(source)} ${h(destination)} 00000001 00000001 5018ffff 00000000 ${payload}`));

function nameOf(decoder: { nameOf(words: Int32Array, at: number): string }, address: string): string {
  const words = new Int32Array(4);
  parseAddress(address, words);
  return decoder.nameOf(words, 0);
}

/** A ClientHello record that asks for `name`, with an extension before it. */
function clientHello(name: string): string {
  const entry = `00 ${h(name.length)} ${text(name)}`;
  const list = `${h(sizeOf(entry))} ${entry}`;
  const extensions = `000a 0002 0000 0000 ${h(sizeOf(list))} ${list}`;
  const body = `0303 ${'11'.repeat(32)} 02 aabb 0004 13011302 01 00 ${h(sizeOf(extensions))} ${extensions}`;
  const handshake = `01 ${h(sizeOf(body), 6)} ${body}`;
  return `160301 ${h(sizeOf(handshake))} ${handshake}`;
}

describe('DNS', () => {
  it('gives name and type of the question, lower case', () => {
    const { rows, raw } = decodeFrames([hex(overUdp(40000, 53, query('Www.EXAMPLE.net', 16)))]);
    expect(rows[0].dns).toBe('www.example.net');
    expect(raw.words[R.DNS_TYPE]).toBe(16);
    expect(rows[0].meta & (R.IS_DNS_RESPONSE | R.IS_ANSWER)).toBe(0);
  });

  it('writes bytes that are no printable ASCII, and dots in labels, as decimal escapes', () => {
    const body = `03 61 2e ff 04 ${text('a\\ b')} 00 0001 0001`;
    const { rows } = decodeFrames([hex(overUdp(40000, 53, message('0100', 1, 0, body)))]);
    expect(rows[0].dns).toBe('a\\046\\255.a\\092\\032b');
  });

  it('calls the root a dot', () => {
    expect(decodeFrames([hex(overUdp(40000, 53, message('0100', 1, 0, '00 0002 0001')))]).rows[0].dns).toBe('.');
  });

  it('joins the addresses of a response to the name that was asked for', () => {
    const body = `${labels('a.example')} 0001 0001
      c00c 0005 0001 0000000a 0004 ${h(1, 2)} 62 c00e
      c027 0001 0001 0000000a 0004 c0000207
      c027 001c 0001 0000000a 0010 20010db8000000000000000000000007`;
    const { rows, decoder } = decodeFrames([hex(overUdp(53, 40000, message('8180', 1, 3, body)))]);
    expect(rows[0].dns).toBe('a.example');
    expect(rows[0].meta & (R.IS_DNS_RESPONSE | R.IS_ANSWER)).toBe(R.IS_DNS_RESPONSE | R.IS_ANSWER);
    expect(nameOf(decoder, '192.0.2.7')).toBe('a.example');
    expect(nameOf(decoder, '2001:db8::7')).toBe('a.example');
    expect(nameOf(decoder, '192.0.2.8')).toBe('');
  });

  it('keeps the last name of an address, in bounded memory', () => {
    const response = (name: string, address: string): Uint8Array =>
      hex(
        overUdp(53, 40000, message('8180', 1, 1, `${labels(name)} 0001 0001 c00c 0001 0001 0000000a 0004 ${address}`)),
      );
    const many = Array.from({ length: 100 }, (_, i) => response(`n${i}.example`, h(0xc6336400 + i, 8)));
    const { decoder, causes } = decodeFrames(
      [...many, response('old.example', 'c0000207'), response('new.example', 'c0000207')],
      { maxAddressNames: 16 },
    );
    expect(nameOf(decoder, '192.0.2.7')).toBe('new.example');
    expect(causes['address_table_full']).toBeGreaterThanOrEqual(85);
  });

  it('reads a message over TCP that begins in the segment, and no other', () => {
    const one = query('tcp.example', 1);
    const { rows } = decodeFrames([
      hex(overTcp(40000, 53, `${h(sizeOf(one))} ${one}`)),
      hex(overTcp(40000, 53, one)),
      hex(overTcp(40000, 80, `${h(sizeOf(one))} ${one}`)),
    ]);
    expect(rows.map((row) => row.dns)).toEqual(['tcp.example', '', '']);
  });

  it('follows pointers back only, and counts what contradicts itself', () => {
    const loops = [`c00c 0001 0001`, `01 61 c00c 0001 0001`, `c0ff 0001 0001`, `80 0001 0001`, `01 61 00 0001 0000`];
    const { rows, causes } = decodeFrames(loops.map((body) => hex(overUdp(40000, 53, message('0100', 1, 0, body)))));
    expect(rows.map((row) => row.dns)).toEqual(loops.map(() => ''));
    expect(causes).toEqual({ dns: loops.length });
  });

  it('takes any name apart and puts it together again', () => {
    const label = fc.stringMatching(/^[a-z0-9_-]{1,63}$/);
    const name = fc.array(label, { minLength: 1, maxLength: 8 }).map((all) => all.join('.'));
    fc.assert(
      fc.property(name, (one) => {
        fc.pre(one.length < 254);
        expect(decodeFrames([hex(overUdp(40000, 53, query(one, 1)))]).rows[0].dns).toBe(one);
      }),
      { numRuns: 100 },
    );
  });
});

describe('TLS', () => {
  it('gives the server name that a ClientHello asks for, on any port', () => {
    const { rows } = decodeFrames([hex(overTcp(40000, 8443, clientHello('WWW.example.net')))]);
    expect(rows[0].sni).toBe('www.example.net');
  });

  it('gives none when the segment ends before it, wherever that is', () => {
    const whole = hex(overTcp(40000, 443, clientHello('www.example.net')));
    for (let length = 54; length < whole.length; length++) {
      const { rows } = decodeFrames([{ bytes: whole.subarray(0, length), wireLength: whole.length }]);
      expect(rows[0].sni).toBe('');
    }
  });
});
