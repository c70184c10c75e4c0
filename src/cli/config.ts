import type { Command } from 'commander';
import { stringify } from 'yaml';
import { configSchema, requireConfig } from '../config.ts';
import { variables } from '../core/env-overrides.ts';
import { LineWriter } from '../core/output.ts';
import { table } from './table.ts';

const EXAMPLES = `
Examples:
  weir config dump -c weir.yaml           what is in force: the file, the environment, the defaults; no secrets
  weir config dump -c weir.yaml --json
  weir config env                         every variable that stands for an option`;

const HIDDEN = '(hidden)';
/** Options that hold a secret themselves; `secret_file` and `secret_env` only say where it is. */
const SECRET = /^(?:secret|password|passphrase|token|community)$/;

export function configCommand(program: Command): void {
  const config = program
    .command('config')
    .description('Look at the configuration in force.')
    .addHelpText('after', EXAMPLES);
  config
    .command('dump')
    .description('Print what is in force, without secrets.')
    .requiredOption('-c, --config <FILE>', 'configuration')
    .option('--json', 'as JSON')
    .action(dump);
  config.command('env').description('List the variables that stand for options.').action(listVariables);
}

function dump(options: { config: string; json?: boolean }): void {
  const { folder: _, home: __, ...config } = requireConfig(options.config);
  const shown = withoutSecrets(config);
  const out = new LineWriter();
  out.line(options.json ? JSON.stringify(shown) : stringify(shown).trimEnd());
  out.close();
}

function listVariables(): void {
  const out = new LineWriter();
  const rows = [...variables(configSchema())].map(([name, { path, type }]) => [name, path.join('.'), type]);
  for (const line of table(['variable', 'option', 'type'], rows)) out.line(line);
  out.close();
}

/** The same with every secret replaced: named options, HTTP headers, and passwords and paths within addresses. */
export function withoutSecrets(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, name));
  if (typeof value === 'object' && value !== null) {
    const hides = name === 'headers';
    const entries = Object.entries(value).map(([key, each]) => [key, hides ? HIDDEN : withoutSecrets(each, key)]);
    return Object.fromEntries(chatHidden(value, entries));
  }
  if (typeof value !== 'string') return value;
  return SECRET.test(name) ? HIDDEN : value.replace(/(\w:\/\/[^/@:]*):[^/@]*@/, `$1:${HIDDEN}@`);
}

/** Who knows the address of a chat's webhook may write there: its path is the secret. */
function chatHidden(options: object, entries: unknown[][]): [string, unknown][] {
  const isChat = 'type' in options && options.type === 'chat';
  return entries.map(([key, value]) => {
    const url = isChat && key === 'url' && typeof value === 'string' ? `${new URL(value).origin}/${HIDDEN}` : value;
    return [String(key), url];
  });
}
