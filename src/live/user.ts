import { spawnSync } from 'node:child_process';
import { lchownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { WeirError } from '../core/errors.ts';

const LOOKUP_MS = 5000;

export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

/** A user of this machine, by name or number. Throws `live.user` when there is none. */
export function lookUpUser(name: string): SystemUser {
  const { stdout } = spawnSync('getent', ['passwd', name], { encoding: 'utf8', timeout: LOOKUP_MS });
  const [known, , uid, gid] = (stdout ?? '').trim().split(':');
  if (known === '' || gid === undefined) {
    throw new WeirError('live.user', `there is no user ${name}`, { hint: `useradd --system ${name}` });
  }
  return { name: known, uid: Number(uid), gid: Number(gid) };
}

/**
 * Gives root's rights up for good, in all threads; a process that is not root keeps what it has. What was made in the
 * folders until then becomes the user's.
 */
export function becomeUser({ name, uid, gid }: SystemUser, folders: readonly string[]): boolean {
  if (process.getuid?.() !== 0) return false;
  for (const folder of folders) giveFolder(folder, uid, gid);
  (process as NodeJS.Process & { initgroups?(user: string, group: number): void }).initgroups?.(name, gid);
  process.setgid?.(gid);
  process.setuid?.(uid);
  return true;
}

/** Symbolic links are given, not followed. */
function giveFolder(folder: string, uid: number, gid: number): void {
  lchownSync(folder, uid, gid);
  for (const item of readdirSync(folder, { withFileTypes: true, recursive: true }))
    lchownSync(join(item.parentPath, item.name), uid, gid);
}
