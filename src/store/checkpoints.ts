import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, WeirError } from '../core/errors.ts';
import { readSnapshot, writeSnapshot } from '../core/snapshot-file.ts';

/** Changes whenever anything that a checkpoint holds is written otherwise than before. */
export const STATE_VERSION = 2;
const NAME = /^(\d{12})\.snapshot$/;
const KEPT = 2;

export interface FoundCheckpoint {
  epoch: number;
  body: Uint8Array;
  /** Newer ones that could not be read, and why. */
  unreadable: string[];
}

/** The checkpoints of a store: `checkpoint/EPOCH.snapshot`, the last two kept. Epochs count from 1. */
export class Checkpoints {
  readonly folder: string;

  constructor(store: string) {
    this.folder = join(store, 'checkpoint');
    mkdirSync(this.folder, { recursive: true });
  }

  /**
   * The newest that can be read; null when there is none.
   * @throws WeirError `checkpoint.version` when it is of another version, `checkpoint.damaged` when none can be read
   */
  newest(): FoundCheckpoint | null {
    const unreadable: string[] = [];
    const epochs = this.#epochs();
    for (const epoch of epochs) {
      try {
        return { epoch, body: readSnapshot(this.#path(epoch), STATE_VERSION), unreadable };
      } catch (error) {
        if (error instanceof WeirError && error.code === 'snapshot.version') throw otherVersion(error);
        unreadable.push(messageOf(error));
      }
    }
    if (epochs.length === 0) return null;
    throw new WeirError('checkpoint.damaged', `no checkpoint can be read\n${unreadable.join('\n')}`, {
      hint: `weir run --fresh begins anew, from the start of the sources`,
    });
  }

  /** Writes a checkpoint, whose parts stay as they are meanwhile, and removes those that are too old. */
  async write(epoch: number, parts: readonly Uint8Array[]): Promise<void> {
    await writeSnapshot(this.#path(epoch), STATE_VERSION, parts);
    for (const old of this.#epochs().slice(KEPT)) rmSync(this.#path(old), { force: true });
  }

  clear(): void {
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
  }

  #path(epoch: number): string {
    return join(this.folder, `${String(epoch).padStart(12, '0')}.snapshot`);
  }

  /** Newest first. */
  #epochs(): number[] {
    const names = readdirSync(this.folder).flatMap((name) => NAME.exec(name)?.[1] ?? []);
    return names.map(Number).sort((a, b) => b - a);
  }
}

function otherVersion(cause: WeirError): WeirError {
  return new WeirError('checkpoint.version', `the checkpoint is of another version of weir: ${cause.message}`, {
    cause,
    hint: 'run the weir that wrote it, or weir run --fresh to begin anew (stored alerts and history stay)',
  });
}
