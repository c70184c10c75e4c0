import { WeirError } from '../core/errors.ts';
import { parseAddress } from '../model/address.ts';
import { addressOf, type Library, lastError } from './native-library.ts';

const SOL_SOCKET = 1;
const SO_ATTACH_REUSEPORT_CBPF = 51;
/** Where a packet's network header begins, for the kernel's classic filters (linux/filter.h, SKF_NET_OFF). */
const NETWORK = 0xfff00000;
/** Classic BPF (linux/bpf_common.h). */
const LOAD_BYTE = 0x30;
const LOAD_WORD = 0x20;
const SHIFT_RIGHT = 0x74;
const MULTIPLY = 0x24;
const MODULO = 0x94;
const JUMP = 0x05;
const JUMP_IF_EQUAL = 0x15;
const RETURN_A = 0x16;
/** 2^32 over the golden ratio: neighbouring addresses land far from each other. */
const MIX = 0x9e3779b1;

/**
 * Makes the kernel share a port's datagrams among its sockets by the sender's address alone: `spreadOf` says which socket
 * gets them. Sockets are numbered in the order in which they were bound.
 */
export function attachSpread(library: Library, fd: number, sockets: number): void {
  const program = [
    [LOAD_BYTE, 0, 0, NETWORK],
    [SHIFT_RIGHT, 0, 0, 4],
    [JUMP_IF_EQUAL, 2, 0, 6],
    [LOAD_WORD, 0, 0, NETWORK + 12],
    [JUMP, 0, 0, 1],
    [LOAD_WORD, 0, 0, NETWORK + 20],
    [MULTIPLY, 0, 0, MIX],
    [SHIFT_RIGHT, 0, 0, 16],
    [MODULO, 0, 0, sockets],
    [RETURN_A, 0, 0, 0],
  ];
  const code = Buffer.alloc(8 * program.length);
  program.forEach(([operation, whenTrue, whenFalse, operand], i) => {
    code.writeUInt16LE(operation, 8 * i);
    code.writeUInt8(whenTrue, 8 * i + 2);
    code.writeUInt8(whenFalse, 8 * i + 3);
    code.writeUInt32LE(operand, 8 * i + 4);
  });
  const filter = Buffer.alloc(16);
  filter.writeUInt16LE(program.length, 0);
  filter.writeBigUInt64LE(addressOf(code), 8);
  if (library.setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, filter, filter.length) >= 0) return;
  throw new WeirError('exporter.socket', `the port's sockets cannot share by sender: ${lastError()}`);
}

const words = new Int32Array(4);

/** Which of `sockets` gets what comes from `address`. */
export function spreadOf(address: string, sockets: number): number {
  if (!parseAddress(address, words)) return 0;
  return (Math.imul(words[3], MIX) >>> 16) % sockets;
}
