import { z } from 'zod';
import { sourceFields } from '../model/source-options.ts';

export const liveOptions = z
  .strictObject({
    ...sourceFields,
    type: z.literal('live'),
    interface: z.string().min(1).max(15).describe('The network interface.'),
    filter: z.string().default('').describe('A filter in the language of pcap-filter(7), run by the kernel.'),
    workers: z
      .int()
      .min(1)
      .max(16)
      .default(1)
      .describe('Rings, each with a thread, that share the traffic by flow (PACKET_FANOUT).'),
    ring: z
      .int()
      .min(2)
      .max(4096)
      .optional()
      .describe('MiB of memory that all rings have together; default half a second of the line, 32 to 256.'),
    promiscuous: z.boolean().default(true),
    timestamps: z
      .enum(['kernel', 'card'])
      .default('kernel')
      .describe('card: where the driver was told to stamp packets.'),
    user: z
      .string()
      .optional()
      .describe('User whose rights are taken once the interface is open, when started as root.'),
    fallback: z.boolean().default(true).describe('tcpdump as a child where the ring cannot be had.'),
  })
  .describe("Packets of an interface, read in the kernel's own ring.");

export type LiveOptions = z.infer<typeof liveOptions>;
