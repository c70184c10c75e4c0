import { readFileSync } from 'node:fs';
import koffi from 'koffi';

/** Small UDP frames as fast as one thread sends them, by sendmmsg: `blaster.ts INTERFACE SECONDS`. */
const [device, seconds] = process.argv.slice(2);
const FRAMES = 64;
const FRAME_BYTES = 60;
const MESSAGE_BYTES = 64;
const VECTOR_BYTES = 16;
const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)');
const bind = libc.func('int bind(int fd, const uint8_t *address, uint32_t length)');
const setsockopt = libc.func('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)');
const sendmmsg = libc.func('int sendmmsg(int fd, uint8_t *messages, unsigned int count, int flags)');

const memory = new Uint8Array(FRAMES * (FRAME_BYTES + MESSAGE_BYTES + VECTOR_BYTES));
const view = new DataView(memory.buffer);
const base = koffi.address(memory) as bigint;
const vectors = FRAMES * MESSAGE_BYTES;
const frames = vectors + FRAMES * VECTOR_BYTES;
const template = Buffer.from(
  `${'ff'.repeat(6)}020000000001080045000020000040004011b6c9c0000201c0000202000000090018000000000000`.padEnd(
    2 * FRAME_BYTES,
    '0',
  ),
  'hex',
);
for (let n = 0; n < FRAMES; n++) {
  const at = frames + n * FRAME_BYTES;
  memory.set(template, at);
  view.setUint16(at + 34, 1024 + n, false);
  view.setBigUint64(vectors + n * VECTOR_BYTES, base + BigInt(at), true);
  view.setBigUint64(vectors + n * VECTOR_BYTES + 8, BigInt(FRAME_BYTES), true);
  view.setBigUint64(n * MESSAGE_BYTES + 16, base + BigInt(vectors + n * VECTOR_BYTES), true);
  view.setBigUint64(n * MESSAGE_BYTES + 24, 1n, true);
}
const fd = socket(17, 3, 0) as number;
const address = new Uint8Array(20);
new DataView(address.buffer).setUint16(0, 17, true);
new DataView(address.buffer).setInt32(4, Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8')), true);
if (bind(fd, address, address.length) !== 0) throw new Error('cannot bind');
/** PACKET_QDISC_BYPASS */
setsockopt(fd, 263, 20, Uint8Array.of(1, 0, 0, 0), 4);
let sent = 0;
for (const endMs = performance.now() + 1000 * Number(seconds); performance.now() < endMs; ) {
  for (let k = 0; k < 20; k++) sent += Math.max(0, sendmmsg(fd, memory, FRAMES, 0) as number);
}
console.log(sent);
