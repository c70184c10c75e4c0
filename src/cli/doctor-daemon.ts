import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';
import { type Diagnosis, ok, warning } from './doctor-findings.ts';

const TIMEOUT_MS = 2000;

interface SourceStatus {
  name: string;
  error: { message: string } | null;
  [fact: string]: unknown;
}

interface Status {
  pid: number;
  uptimeSeconds: number;
  sources: SourceStatus[];
  checkpoint: { ageSeconds: number; problem: unknown };
  history?: { problem: unknown };
  reload?: { problem?: unknown };
}

/** What each count of a source means when it is not 0, and what helps. */
const TROUBLES: Readonly<Record<string, [message: string, hint: string]>> = {
  kernelDrops: ['packets or datagrams were dropped by the kernel', 'a larger ring: or receiveBuffer:, or a filter'],
  interfaceDrops: ['packets were dropped by the interface', 'ethtool -G: larger rings of the card'],
  lost: [
    'records were lost between exporter and weir, by their sequence numbers',
    'look for drops on the way, or export less',
  ],
  silent: ['exporters are silent', 'is the exporter up, and does it still send here?'],
  samplingUnknown: ['exporters sample nobody knows how much', 'export the sampler options, or say it with sampling:'],
  badRows: ['rows are damaged', 'the log of the daemon has the first one with its line'],
  badMessages: ['messages are no flows', 'is format: right?'],
};

/** Asks a daemon that runs with this configuration, where there is one. */
export async function examineDaemon(config: Config): Promise<Diagnosis[]> {
  const { listen } = config.http;
  const status = await ask(listen, tokenOf(config));
  if (status === null) return [ok('daemon', `no daemon answers at ${listen}: its sources were not looked at`)];
  const found = [ok('daemon', `process ${status.pid}, up for ${status.uptimeSeconds} s`)];
  for (const source of status.sources) found.push(...examineSource(source));
  if (status.checkpoint.problem)
    found.push(warning('checkpoint', String(status.checkpoint.problem), 'is there room, and may it be written?'));
  if (status.history?.problem) found.push(warning('history', String(status.history.problem)));
  return found;
}

function examineSource(source: SourceStatus): Diagnosis[] {
  const check = `source ${source.name}`;
  const found: Diagnosis[] = [];
  if (source.error) found.push(warning(check, source.error.message));
  for (const [fact, [message, hint]] of Object.entries(TROUBLES)) {
    const count = Number(source[fact] ?? 0);
    if (count > 0) found.push(warning(check, `${count} ${message}`, hint));
  }
  if (Number(source['exporters']) === 0)
    found.push(warning(check, 'no exporter has sent anything', 'do they send to this address and port?'));
  else if (source['templates'] === 0 && Number(source['records']) === 0)
    found.push(warning(check, 'no template and no record came yet'));
  return found.length > 0 ? found : [ok(check, 'nothing to complain of')];
}

async function ask(listen: string, token: string | null): Promise<Status | null> {
  if (listen === 'off') return null;
  const address = listen.replace(/^(0\.0\.0\.0|\[::\])/, '127.0.0.1');
  try {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(`http://${address}/api/status`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    return answer.ok ? ((await answer.json()) as Status) : null;
  } catch {
    return null;
  }
}

function tokenOf({ http }: Config): string | null {
  if (http.token !== undefined) return http.token;
  if (http.token_env !== undefined) return process.env[http.token_env] ?? null;
  if (http.token_file === undefined) return null;
  try {
    return readFileSync(http.token_file, 'utf8').trim();
  } catch {
    return null;
  }
}
