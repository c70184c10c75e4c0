import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { configSchema } from '../config.ts';
import { LineWriter } from '../core/output.ts';
import { shipped } from '../core/paths.ts';
import { generateSchema, loadRules, withReference } from '../rule/rule.ts';

const EXAMPLES = `
Examples:
  weir schema rule > rule.schema.json     for editors: "yaml.schemas" in VS Code
  weir schema config > weir.schema.json`;

/** JSON Schemas of the files that people write. */
export function schemaCommand(program: Command): void {
  program
    .command('schema')
    .description('Print the JSON Schema of a rule file or of weir.yaml.')
    .argument('[KIND]', 'rule or config', 'rule')
    .option('--write', 'write the schemas, and the tables of docs/rules.md, where the repository keeps them')
    .addHelpText('after', EXAMPLES)
    .action((kind: string, options: { write?: boolean }) => {
      if (options.write) writeAll();
      else print(kind === 'config' ? configSchema() : generateSchema());
    });
}

const toText = (schema: unknown): string => `${JSON.stringify(schema, null, 2)}\n`;

function writeAll(): void {
  writeFileSync(join(shipped('rules'), 'rule.schema.json'), toText(generateSchema()));
  const docs = shipped('docs');
  writeFileSync(join(docs, 'weir.schema.json'), toText(configSchema()));
  const page = join(docs, 'rules.md');
  writeFileSync(page, withReference(readFileSync(page, 'utf8'), loadRules([shipped('rules')]).rules.rules));
}

function print(schema: unknown): void {
  const writer = new LineWriter();
  writer.line(JSON.stringify(schema, null, 2));
  writer.close();
}
