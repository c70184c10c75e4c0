import { type Logger, pino } from 'pino';
import { Burst, type BurstOptions } from './burst.ts';
import { type LogStream, logFormat, logStream } from './log-stream.ts';

export type { Logger } from 'pino';

export interface LoggerOptions {
  level?: string;
  stream?: LogStream;
  burst?: Partial<BurstOptions>;
  nowMs?: () => number;
}

const BURST: BurstOptions = { most: 5, periodMs: 10_000, events: 1000 };
/** Facts that tell the same event at different places apart. */
const PLACES = ['channel', 'source', 'exporter', 'component', 'rule', 'file'] as const;
const written = new Set<Burst>();

/**
 * One line an event on standard error; standard output carries answers only. JSON for programs, with the level in front
 * for the journal, readable on a terminal. An event that repeats is told a few times in ten seconds, then once with
 * `repeated`, how many more there were.
 */
export function createLogger(options: string | LoggerOptions = {}): Logger {
  const { level, stream, burst, nowMs } = typeof options === 'string' ? { level: options } : (options as LoggerOptions);
  const limiter = new Burst({ ...BURST, ...burst }, nowMs);
  if (written.size === 0) process.once('exit', flushLogs);
  written.add(limiter);
  return pino(
    {
      level: process.env['WEIR_LOG_LEVEL'] ?? level ?? 'warn',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: {
        logMethod(args, method) {
          const [facts, ...rest] = args as unknown as [Record<string, unknown>, ...string[]];
          const event = eventOf(facts);
          const write = (repeated: number) =>
            method.apply(this, [repeated > 1 ? { ...facts, repeated } : facts, ...rest] as never);
          if (event === null) write(1);
          else limiter.pass(event, write);
        },
      },
    },
    stream ?? logStream(logFormat(process.env)),
  );
}

/** Tells what is still held back, at the end of the process. */
export function flushLogs(): void {
  for (const limiter of written) limiter.flush();
}

/** For tests and libraries that want no output. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}

function eventOf(facts: unknown): string | null {
  if (typeof facts !== 'object' || facts === null || !('code' in facts)) return null;
  const named = facts as Record<string, unknown>;
  return [named['code'], ...PLACES.map((place) => named[place] ?? '')].join('\u0000');
}
