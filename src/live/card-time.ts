import { WeirError } from '../core/errors.ts';
import type { Libc } from './native.ts';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCETHTOOL = 0x8946;
const ETHTOOL_GET_TS_INFO = 0x41;
/** `struct ifreq`: 16 bytes of name, then a pointer. `struct ethtool_ts_info`: command, then SOF_TIMESTAMPING_ bits. */
const IFREQ_BYTES = 40;
const NAME_BYTES = 16;
const INFO_BYTES = 44;
const RX_HARDWARE = 1 << 2;
const RAW_HARDWARE = 1 << 6;
const NEEDED = RX_HARDWARE | RAW_HARDWARE;

/** Throws `live.timestamps` when the card cannot stamp what it receives (linux/ethtool.h, linux/net_tstamp.h). */
export function needCardTime(libc: Libc, name: string): void {
  const bits = stampingOf(libc, name);
  if ((bits & NEEDED) === NEEDED) return;
  throw new WeirError('live.timestamps', `${name} cannot stamp the packets that it receives`, {
    hint: `ethtool -T ${name} shows what it can; timestamps: kernel takes the kernel's time`,
  });
}

function stampingOf(libc: Libc, name: string): number {
  const fd = libc.socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return 0;
  const info = new Uint8Array(INFO_BYTES);
  new DataView(info.buffer).setUint32(0, ETHTOOL_GET_TS_INFO, true);
  const request = new Uint8Array(IFREQ_BYTES);
  request.set(Buffer.from(name).subarray(0, NAME_BYTES - 1));
  new DataView(request.buffer).setBigUint64(NAME_BYTES, libc.addressOf(info), true);
  const failed = libc.ioctl(fd, SIOCETHTOOL, request) !== 0;
  libc.close(fd);
  return failed ? 0 : new DataView(info.buffer).getUint32(4, true);
}
