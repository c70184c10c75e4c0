import { z } from 'zod';
import { sourceFields } from '../model/source-options.ts';
import { delayOption, mappingOptions } from './options.ts';
import { PROTO_FIELDS } from './proto-record.ts';

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
    delay: delayOption,
    from: z.enum(['earliest', 'latest']).default('earliest').describe('Where a group without a position begins.'),
  })
  .describe('Flow messages from Kafka; the position is part of the checkpoint.');

export type KafkaOptions = z.infer<typeof kafkaOptions>;
