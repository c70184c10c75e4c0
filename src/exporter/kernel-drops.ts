import { readFileSync } from 'node:fs';

/**
 * Datagrams that the kernel dropped at a socket because its buffer was full: the last column of /proc/net/udp and
 * udp6, in the row of the socket's inode (proc(5)). Null where the system has no such file.
 */
export function kernelDrops(inode: number): number | null {
  for (const file of ['/proc/net/udp6', '/proc/net/udp']) {
    const drops = dropsIn(file, inode);
    if (drops !== null) return drops;
  }
  return null;
}

function dropsIn(file: string, inode: number): number | null {
  try {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const columns = line.trim().split(/\s+/);
      if (columns[9] === String(inode)) return Number(columns[columns.length - 1]);
    }
  } catch {
    // No such file: another system than Linux.
  }
  return null;
}

/** Inode of a UDP socket, from its row's address and port; -1 when it is not found. */
export function socketInode(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  for (const file of ['/proc/net/udp6', '/proc/net/udp']) {
    try {
      for (const line of readFileSync(file, 'utf8').split('\n')) {
        const columns = line.trim().split(/\s+/);
        if (columns[1]?.endsWith(`:${hex}`)) return Number(columns[9]);
      }
    } catch {
      // No such file: another system than Linux.
    }
  }
  return -1;
}
