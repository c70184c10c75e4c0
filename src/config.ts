import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { validate } from 'node-cron';
import { z } from 'zod';
import { applyOverrides, type Override, overridesOf } from './core/env-overrides.ts';
import { type Finding, messageOf, WeirError } from './core/errors.ts';
import { type Path, SourceFile } from './core/source-file.ts';
import { parseQuantity } from './core/units.ts';
import { sourceOptions as collectorSources } from './exporter/exporter.ts';
import { forecastOptions } from './forecast/forecast.ts';
import { liveOptions } from './live/live.ts';
import { kafkaOptions, kafkaPaths, logOptions, sqlOptions } from './log/log.ts';
import { type Prefix, parsePrefix } from './model/address.ts';
import { duration } from './model/source-options.ts';
import { channelOptions, outboxOptions, routeOptions } from './notify/notify.ts';
import { sourceOptions as captureSources } from './source/source.ts';
import { storeOptions } from './store/store.ts';
import { httpOptions } from './web/web.ts';

const network = z
  .string()
  .refine((text) => parsePrefix(text) !== null, 'a network such as 192.0.2.0/24 or 2001:db8::/32');
const speed = z.string().refine((text) => parseQuantity(text)?.unit === 'bps', 'a speed such as 1Gbps');

/** One entry of `sources:`. Each room that has sources brings its own kinds; `sources.ts` makes them. */
const source = z.discriminatedUnion('type', [
  ...captureSources,
  ...collectorSources,
  liveOptions,
  logOptions,
  kafkaOptions,
  sqlOptions,
]);

export type SourceConfig = z.infer<typeof source>;

/** The whole of `weir.yaml`. Each room owns its part; this file only gathers them. */
const schema = z
  .strictObject({
    version: z.literal(1),
    sources: z.array(source).default([]),
    rules: z.array(z.string()).default([]).describe('Rule files and folders; empty: the shipped library.'),
    nets: z.strictObject({ home: z.array(network).optional() }).prefault({}),
    interfaces: z
      .array(
        z.strictObject({
          exporter: z.string(),
          in_if: z.int().nonnegative().optional(),
          speed: speed.describe('What `if_speed` is in rules.'),
        }),
      )
      .default([]),
    store: storeOptions.prefault({}),
    forecast: forecastOptions.prefault({}),
    channels: z.array(channelOptions).default([]),
    routes: z.array(routeOptions).default([]),
    checkpoint: z.strictObject({ interval: duration.default('10s') }).prefault({}),
    engine: z
      .strictObject({ workers: z.int().min(0).max(16).default(0) })
      .prefault({})
      .describe('Threads that have part of the rules. Alerts are the same with any number.'),
    http: httpOptions.prefault({}),
    outbox: outboxOptions.prefault({}),
    self: z
      .strictObject({ watch: z.boolean().default(true), interval: duration.default('10s') })
      .prefault({})
      .describe("weir's measurements of itself go through the rules of rules/self."),
    digest: z
      .strictObject({
        schedule: z.string().refine(validate, 'a cron expression').default('0 7 * * *'),
        to: z.array(z.string()).default([]),
      })
      .prefault({})
      .describe('Daily digest mail: cron schedule and channel names.'),
  })
  .superRefine((config, context) => {
    namesOnce(config.sources, 'sources', context);
    namesOnce(config.channels, 'channels', context);
    const known = config.channels.map((channel) => channel.name);
    config.routes.forEach((route, i) => {
      route.to.forEach((name, k) => {
        if (!known.includes(name)) context.addIssue(unknownChannel(['routes', i, 'to', k], name, known));
      });
    });
    config.digest.to.forEach((name, k) => {
      if (!known.includes(name)) context.addIssue(unknownChannel(['digest', 'to', k], name, known));
    });
  });

export type ConfigFile = z.infer<typeof schema>;

/** The options of a run, with absolute paths; frozen. */
export interface Config extends ConfigFile {
  /** Folder that relative paths count from. */
  folder: string;
  home: Prefix[] | null;
}

function namesOnce(items: { name: string }[], where: string, context: z.RefinementCtx): void {
  items.forEach((item, i) => {
    if (items.findIndex((other) => other.name === item.name) < i) {
      context.addIssue({ code: 'custom', path: [where, i, 'name'], message: `${item.name} is there twice` });
    }
  });
}

function unknownChannel(path: (string | number)[], name: string, known: string[]) {
  return {
    code: 'custom' as const,
    path,
    message: `no channel is named ${name}; known: ${known.join(', ') || 'none'}`,
  };
}

/** JSON Schema of `weir.yaml`, for editors; published as `docs/weir.schema.json`. */
export function configSchema(): unknown {
  return z.toJSONSchema(schema, { io: 'input' });
}

/**
 * Reads a configuration whole, with what the environment says instead (`WEIR_STORE_PATH`): every finding at once, and
 * the config when there is none.
 */
export function loadConfig(path: string, env = process.env): { config: Config | null; findings: Finding[] } {
  const findings: Finding[] = [];
  const source = new SourceFile(path, readConfig(path), findings);
  if (findings.length > 0) return { config: null, findings };
  const overrides = overridesOf(configSchema(), env);
  const parsed = schema.safeParse(applyOverrides(source.data, overrides));
  if (!parsed.success) {
    for (const issue of parsed.error.issues) reportIssue(source, issue, overrides);
    return { config: null, findings };
  }
  const folder = dirname(resolve(path));
  const at = (relative: string) => resolve(folder, relative);
  const config: Config = {
    ...parsed.data,
    sources: parsed.data.sources.map((item) => withPaths(item, at)),
    rules: parsed.data.rules.map(at),
    store: { ...parsed.data.store, path: at(parsed.data.store.path) },
    folder,
    home: parsed.data.nets.home?.map((text) => parsePrefix(text)!) ?? null,
  };
  return { config: Object.freeze(config), findings };
}

/** Files that a source names, as absolute paths. */
function withPaths(item: SourceConfig, at: (relative: string) => string): SourceConfig {
  if (item.type === 'kafka') return kafkaPaths(item, at);
  if ('path' in item) return { ...item, path: at(item.path) };
  if ('url_file' in item && item.url_file !== undefined) return { ...item, url_file: at(item.url_file) };
  if (item.type !== 'ipfix') return item;
  const { cert, key, ca } = item;
  const absolute = (path: string | undefined): string | undefined => (path === undefined ? undefined : at(path));
  return { ...item, cert: absolute(cert), key: absolute(key), ca: absolute(ca) };
}

function readConfig(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const hint = existsSync(path) ? 'is it a file that you may read?' : 'see docs/operations.md for an example';
    throw new WeirError('config.read', `cannot read ${path}: ${messageOf(cause)}`, { cause, hint });
  }
}

/** What to say of a source or a channel of no kind that is known; null for other issues. */
function unknownType({ data }: SourceFile, issue: z.core.$ZodIssue): string | null {
  if (issue.code !== 'invalid_union' || !('options' in issue) || !Array.isArray(issue.options)) return null;
  const given = issue.path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown>)?.[part], data);
  const what = given === undefined ? `${issue.path.join('.')} is missing` : `there is no type ${String(given)}`;
  return `${what}; known: ${issue.options.join(', ')}`;
}

function reportIssue(source: SourceFile, issue: z.core.$ZodIssue, overrides: readonly Override[]): void {
  const path = issue.path as Path;
  const variable = overrides.find((each) => each.path.every((part, i) => part === path[i]))?.variable;
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys)
      source.report([...path, key], 'config.unknown', `unknown option ${key}`, undefined, undefined, true);
    return;
  }
  const type = unknownType(source, issue);
  const where = variable ? `${variable} of the environment` : path.join('.') || 'the file';
  if (type !== null) source.report(path, 'config.type', type);
  else source.report(path, `config.${issue.code}`, `${where}: ${issue.message}`);
}

/** Reads a configuration or ends with all of its findings in one error. */
export function requireConfig(path: string): Config {
  const { config, findings } = loadConfig(path);
  if (config) return config;
  const lines = findings.map((f) => `${f.file}:${f.line}:${f.column}: ${f.message}${f.hint ? ` (${f.hint})` : ''}`);
  throw new WeirError('config.invalid', `the configuration has ${findings.length} errors\n${lines.join('\n')}`, {
    hint: `weir check -c ${path} prints them with their places`,
  });
}
