import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/replay.ts';

const READY = /"code":"source.started"/;

/** A folder with a configuration, its input and its store. */
export class Place {
  readonly folder: string;
  readonly config: string;
  readonly input: string;
  readonly store: string;

  /** @param source its entry of `sources:`; paths count from this folder, its input is in `input/` */
  constructor(folder: string, source: string, port: number, more = '') {
    this.folder = folder;
    this.input = join(folder, 'input');
    this.store = join(folder, 'state');
    this.config = join(folder, 'weir.yaml');
    mkdirSync(this.input, { recursive: true });
    writeFileSync(
      this.config,
      `version: 1
sources: [${source}]
nets: {home: [192.0.2.0/24, 198.51.100.0/24, "2001:db8::/32"]}
channels: [{name: hook, type: webhook, url: "http://127.0.0.1:${port}/hook", secret: s}]
checkpoint: {interval: 150ms}
${more}`,
    );
  }

  run(more: readonly string[] = [], env: Readonly<Record<string, string>> = {}): ChildProcess {
    return spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'run', '-c', this.config, ...more], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, WEIR_LOG_LEVEL: 'info', ...env },
    });
  }

  /** Reads all that there is, to the end. */
  async lastRun(): Promise<void> {
    const child = this.run(['--until-done', '--drain-timeout', '60s']);
    let text = '';
    child.stderr?.on('data', (part: Buffer) => {
      text += part;
    });
    const code = await closed(child);
    if (code !== 0) throw new Error(`weir run --until-done ended with ${code}\n${text.slice(-4000)}`);
  }
}

export function closed(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('close', resolve));
}

/** Resolves once standard error shows this (by default that sources run), or the process is over. */
export function shows(child: ChildProcess, what = READY): Promise<void> {
  return new Promise((resolve) => {
    let text = '';
    child.stderr?.on('data', (part: Buffer) => {
      text = (text + part).slice(-20_000);
      if (what.test(text)) resolve();
    });
    child.on('close', () => resolve());
  });
}
