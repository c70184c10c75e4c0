/**
 * Stands in for the daemon inside the real unit: touches what weir needs of the system, then speaks sd_notify. SIGUSR2
 * stops the event loop for good, which only the watchdog can end.
 */
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { DuckDBInstance } from '@duckdb/node-api';
import { createLogger } from '../../src/core/logger.ts';
import { ServiceManager } from '../../src/core/service-manager.ts';

const state = process.env['STATE_DIRECTORY'] ?? '.';
const facts: string[] = [];

async function fact(name: string, work: () => unknown): Promise<void> {
  try {
    facts.push(`${name}: ${String(await work())}`);
  } catch (error) {
    facts.push(`${name}: FAILED ${String(error)}`);
  }
}

function refused(work: () => unknown): string {
  try {
    work();
    return 'FAILED: allowed';
  } catch {
    return 'refused';
  }
}

const manager = new ServiceManager({}, { logger: createLogger() });
await manager.start();
await fact('uid', () => process.getuid?.());
await fact(
  'sqlite',
  () => new DatabaseSync(`${state}/probe.sqlite`).prepare('SELECT sqlite_version() AS v').get()?.['v'],
);
await fact('duckdb', async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(`COPY (SELECT 42 AS a) TO '${state}/probe.parquet' (FORMAT parquet)`);
  return (await connection.runAndReadAll(`SELECT a FROM '${state}/probe.parquet'`)).getRowObjects()[0]['a'];
});
await fact('worker', () => new Promise((resolve) => new Worker('process.exit(0)', { eval: true }).on('exit', resolve)));
await fact('http', () => new Promise((resolve) => createServer().listen(0, '127.0.0.1', () => resolve('ok'))));
await fact('udp', () => new Promise((resolve) => createSocket('udp4').bind(2055, () => resolve('ok'))));
await fact('write to /etc', () => refused(() => writeFileSync('/etc/weir/probe', '')));
await fact('root home', () => refused(() => readFileSync('/root/.bashrc')));
await fact('other processes', () => (existsSync('/proc/1/cmdline') ? 'FAILED: visible' : 'hidden'));
writeFileSync(`${state}/facts`, `${facts.join('\n')}\n`);

manager.ready(`started`);
manager.startWatchdog();
process.on('SIGHUP', () => {
  manager.reloading();
  manager.ready('reloaded');
});
process.on('SIGUSR2', () => {
  for (;;);
});
process.on('SIGTERM', () => {
  manager.stopping();
  process.exit(0);
});
setInterval(() => {}, 1000);
