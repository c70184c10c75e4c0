import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BLOCK_BYTES } from './block.ts';
import { type ByteInput, FileInput } from './byte-input.ts';

/** A temporary file without a name: it is gone when it is closed, whatever happens. */
class SpoolInput extends FileInput {
  readonly #descriptor: number;

  constructor(fd: number) {
    super('', fd);
    this.#descriptor = fd;
  }

  override close(): void {
    if (!this.closed) closeSync(this.#descriptor);
    super.close();
  }
}

/** Writes the content of an input to a temporary file, to read it at any place; null beyond `maxBytes`. */
export async function spool(input: ByteInput, maxBytes: number): Promise<FileInput | null> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-'));
  const fd = openSync(join(folder, 'content'), 'w+', 0o600);
  rmSync(folder, { recursive: true });
  const block = new Uint8Array(BLOCK_BYTES);
  let written = 0;
  for (let got = await input.read(block, 0); got > 0; got = await input.read(block, 0)) {
    written += got;
    if (written > maxBytes) {
      closeSync(fd);
      return null;
    }
    for (let done = 0; done < got; ) done += writeSync(fd, block, done, got - done);
  }
  return new SpoolInput(fd);
}
