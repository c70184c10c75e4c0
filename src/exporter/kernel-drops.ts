import { readFileSync } from 'node:fs';

/**
 * Datagrams that the kernel dropped at sockets because their buffer was full: the last column of /proc/net/udp and udp6,
 * in the rows of the sockets' inodes (proc(5)). Null where the system has no such file.
 */
export function kernelDrops(inodes: readonly number[]): number | null {
  const wanted = new Set(inodes.map(String));
  let drops = 0;
  let found = 0;
  for (const file of ['/proc/net/udp6', '/proc/net/udp']) {
    for (const columns of rowsOf(file)) {
      if (!wanted.has(columns[9])) continue;
      drops += Number(columns[columns.length - 1]);
      found++;
    }
  }
  return found === 0 ? null : drops;
}

function rowsOf(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
  } catch {
    // No such file: another system than Linux.
    return [];
  }
}

/** Inode of a UDP socket, from its row's port; -1 when it is not found. */
export function socketInode(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  for (const file of ['/proc/net/udp6', '/proc/net/udp']) {
    const columns = rowsOf(file).find((each) => each[1]?.endsWith(`:${hex}`));
    if (columns !== undefined) return Number(columns[9]);
  }
  return -1;
}
