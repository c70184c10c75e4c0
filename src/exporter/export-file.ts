import { IPFIX_HEADER } from './ipfix.ts';

/** Versions that a datagram of NetFlow or IPFIX begins with. */
const VERSIONS = new Set([1, 5, 7, 9, 10]);
const SFLOW_5 = 5;

/** Whether a file that begins like this holds datagrams of an exporter as they are, without a capture around them. */
export function looksLikeExport(head: Uint8Array): boolean {
  if (head.length < IPFIX_HEADER) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  return VERSIONS.has(view.getUint16(0)) || view.getUint32(0) === SFLOW_5;
}

/**
 * The messages of an IPFIX file (RFC 5655, section 7): one after another, the last may be cut short. Everything else is one
 * datagram, and so is an IPFIX message with anything behind it. @returns places `[from, to]`
 */
export function messagesOf(data: Uint8Array): [from: number, to: number][] {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const messages: [number, number][] = [];
  let at = 0;
  while (data.length - at >= IPFIX_HEADER) {
    const length = view.getUint16(at + 2);
    if (view.getUint16(at) !== 10 || length < IPFIX_HEADER) break;
    messages.push([at, Math.min(data.length, at + length)]);
    at += length;
  }
  return messages.length > 1 ? messages : [[0, data.length]];
}
