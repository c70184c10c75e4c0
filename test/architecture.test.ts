import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

/** The one rule of the house (docs/architecture.md), held by reading every import in `src`. */
const SRC = resolve(import.meta.dirname, '../src');
const ROOMS = [
  'source',
  'live',
  'exporter',
  'log',
  'decode',
  'meter',
  'rule',
  'window',
  'detect',
  'forecast',
  'alert',
  'notify',
  'store',
  'sink',
  'web',
  'flink',
];
/** Files that compose rooms: the wiring, the options, the commands and the entry. */
const COMPOSERS = [
  'pipeline.ts',
  'packets.ts',
  'packet-thread.ts',
  'early-thread.ts',
  'packet-worker.ts',
  'packet-metering.ts',
  'live-thread.ts',
  'collector-thread.ts',
  'collector-worker.ts',
  'live-worker.ts',
  'engine.ts',
  'counter-rules.ts',
  'rule-engine.ts',
  'rule-thread.ts',
  'rule-threads.ts',
  'rule-worker.ts',
  'rule-judging.ts',
  'sources.ts',
  'daemon',
  'config.ts',
  'main.ts',
  'cli',
];
const IMPORT = /^\s*(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm;

interface Edge {
  file: string;
  from: string;
  to: string;
  target: string;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const room = (file: string): string => file.split(sep)[0];

function edges(): Edge[] {
  return files.flatMap((file) => {
    const text = readFileSync(join(SRC, file), 'utf8');
    return [...text.matchAll(IMPORT)]
      .map((match) => match[1] ?? match[2])
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => {
        const target = relative(SRC, resolve(SRC, dirname(file), specifier));
        return { file, from: room(file), to: room(target), target };
      });
  });
}

const show = (edge: Edge): string => `${edge.file} -> ${edge.target}`;

describe('architecture', () => {
  it('a room imports only core, model and its own files', () => {
    const wrong = edges().filter(
      (edge) => ROOMS.includes(edge.from) && edge.to !== edge.from && !['core', 'model'].includes(edge.to),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('core imports nothing of ours but core; model imports core and model', () => {
    const allowed: Record<string, string[]> = { core: ['core'], model: ['core', 'model'] };
    const wrong = edges().filter((edge) => allowed[edge.from] && !allowed[edge.from].includes(edge.to));
    expect(wrong.map(show)).toEqual([]);
  });

  it('others enter a room only through its door, the file that bears its name', () => {
    const wrong = edges().filter(
      (edge) => ROOMS.includes(edge.to) && edge.from !== edge.to && edge.target !== join(edge.to, `${edge.to}.ts`),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('only the wiring, the options and the commands import rooms', () => {
    const wrong = edges().filter(
      (edge) => ROOMS.includes(edge.to) && edge.from !== edge.to && !COMPOSERS.includes(edge.from),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('every import names a file that exists, and every folder is a known room', () => {
    expect(
      edges()
        .filter((edge) => !existsSync(join(SRC, edge.target)) && edge.to !== '..')
        .map(show),
    ).toEqual([]);
    const known = [...ROOMS, ...COMPOSERS, 'core', 'model'];
    expect(files.map(room).filter((name) => !known.includes(name))).toEqual([]);
  });

  it('no file is longer than a stranger reads: 300 lines', () => {
    const long = files.filter((file) => readFileSync(join(SRC, file), 'utf8').split('\n').length > 301);
    expect(long).toEqual([]);
  });
});
