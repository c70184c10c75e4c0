import { z } from 'zod';
import { sourceFields } from '../model/source-options.ts';
import { delayOption, mappingOptions } from './options.ts';
import { PROTO_FIELDS } from './proto-record.ts';

const tlsOptions = z.strictObject({
  ca: z.string().optional().describe('Authorities of the brokers (PEM file); default those that Node brings.'),
  cert: z.string().optional().describe("weir's own certificate (PEM file), where brokers ask for one."),
  key: z.string().optional().describe('Key of that certificate (PEM file).'),
  servername: z.string().optional().describe("The name that the brokers' certificates bear; default the host."),
});

const saslOptions = z
  .strictObject({
    mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
    username: z.string().min(1),
    password: z.string().optional().describe('Better in a file or a variable.'),
    password_file: z.string().optional().describe('File whose first line is the password.'),
    password_env: z.string().optional().describe('Variable of the environment that holds it.'),
  })
  .refine(
    (given) => [given.password, given.password_file, given.password_env].filter((x) => x !== undefined).length === 1,
    {
      message: 'give one of password, password_file, password_env',
    },
  );

export const kafkaOptions = z
  .strictObject({
    ...sourceFields,
    type: z.literal('kafka'),
    brokers: z.array(z.string()).min(1).describe('host:port of some brokers.'),
    topics: z.array(z.string()).min(1),
    group: z.string().min(1).default('weir').describe('Consumer group; one daemon a group.'),
    format: z
      .enum(['goflow2-protobuf', 'akvorado-protobuf', 'goflow2', 'eve', 'zeek-json', 'nfdump-json'])
      .default('goflow2')
      .describe('What a message is: protobuf, or the JSON of a kind of log.'),
    mapping: mappingOptions.optional().describe('For other JSON.'),
    numbers: z
      .partialRecord(z.enum(PROTO_FIELDS), z.int().min(1).max(2000))
      .optional()
      .describe("Field numbers of a protobuf message in place of the format's own (Akvorado numbers its own schema)."),
    tls: z.union([z.boolean(), tlsOptions]).optional().describe('Encrypted connections to the brokers.'),
    sasl: saslOptions.optional().describe('Who weir is to the brokers.'),
    delay: delayOption,
    from: z.enum(['earliest', 'latest']).default('earliest').describe('Where a group without a position begins.'),
  })
  .describe('Flow messages from Kafka; the position is part of the checkpoint.');

export type KafkaOptions = z.infer<typeof kafkaOptions>;

/** The options with absolute paths. */
export function kafkaPaths(options: KafkaOptions, at: (relative: string) => string): KafkaOptions {
  const absolute = (path: string | undefined): string | undefined => (path === undefined ? undefined : at(path));
  const { tls, sasl } = options;
  return {
    ...options,
    tls:
      typeof tls === 'object'
        ? { ...tls, ca: absolute(tls.ca), cert: absolute(tls.cert), key: absolute(tls.key) }
        : tls,
    sasl: sasl && { ...sasl, password_file: absolute(sasl.password_file) },
  };
}
