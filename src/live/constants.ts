/** Numbers of the kernel's interface: linux/if_packet.h, sys/socket.h, errno.h. */
export const AF_PACKET = 17;
export const SOCK_RAW = 3;
export const SOCK_CLOEXEC = 0o2000000;
export const ETH_P_ALL = 3;
export const SOL_SOCKET = 1;
export const SO_ERROR = 4;
export const SO_ATTACH_FILTER = 26;
export const SO_DETACH_FILTER = 27;
export const SOL_PACKET = 263;
export const PACKET_ADD_MEMBERSHIP = 1;
export const PACKET_RX_RING = 5;
export const PACKET_STATISTICS = 6;
export const PACKET_VERSION = 10;
export const PACKET_RESERVE = 12;
export const PACKET_TIMESTAMP = 17;
export const PACKET_FANOUT = 18;
export const TPACKET_V3 = 2;
export const MEMBERSHIP_PROMISCUOUS = 1;
export const FANOUT_HASH = 0;
export const FANOUT_DEFRAG = 0x8000;
export const RAW_HARDWARE = 1 << 6;
export const FRAME_BYTES = 2048;
export const EPERM = 1;
export const EACCES = 13;
export const ENOMEM = 12;
/** Room before each frame for a VLAN tag that is put back. */
export const TAG_BYTES = 4;

/** 32-bit values as an option of a socket. */
export function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setInt32(4 * i, value, true);
  });
  return bytes;
}
