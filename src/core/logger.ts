import { destination, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** One JSON line an event on standard error; standard output carries answers only. */
export function createLogger(level = process.env['WEIR_LOG_LEVEL'] ?? 'warn'): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination({ fd: 2, sync: true }));
}

/** For tests and libraries that want no output. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
