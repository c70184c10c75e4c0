import { z } from 'zod';
import { sourceFields } from '../model/source-options.ts';

const captureOptions = z
  .strictObject({
    ...sourceFields,
    type: z.literal('capture'),
    path: z.string().describe('File or glob, counted from this file.'),
  })
  .describe('Capture files, read once, in order of time.');

const directoryOptions = z
  .strictObject({
    ...sourceFields,
    type: z.literal('directory'),
    path: z.string().describe('Folder, counted from this file.'),
    pattern: z.string().optional().describe('Which files of the folder (glob). Default: all.'),
    poll: sourceFields.idle.describe('How often the folder is looked at where it cannot be watched. Default: 2s.'),
  })
  .describe('A folder watched for new and rotated captures; files still being written are followed.');

const loadOptions = z
  .strictObject({
    ...sourceFields,
    type: z.literal('load'),
    path: z.string().describe('File or glob, counted from this file.'),
  })
  .describe('Interface loads as CSV: timestamp,series,value.');

const stdinOptions = z
  .strictObject({ ...sourceFields, type: z.literal('stdin') })
  .describe('A capture on standard input.');

const tcpdumpOptions = z
  .strictObject({
    ...sourceFields,
    type: z.literal('tcpdump'),
    interface: z.string().min(1).default('any').describe('What tcpdump listens on.'),
    filter: z.string().default('').describe('A filter in the language of pcap-filter(7).'),
    snaplen: z.int().min(64).max(262_144).default(262_144).describe('Bytes kept of each packet.'),
    command: z.string().min(1).default('tcpdump').describe('The program, when it is not in PATH.'),
  })
  .describe('tcpdump as a child process; it is started again when it ends.');

/** The room's entries of `sources:`, for the configuration's union by `type`. */
export const sourceOptions = [captureOptions, directoryOptions, loadOptions, stdinOptions, tcpdumpOptions] as const;

export type CaptureOptions = z.infer<typeof captureOptions>;
export type DirectoryOptions = z.infer<typeof directoryOptions>;
export type LoadOptions = z.infer<typeof loadOptions>;
export type StdinOptions = z.infer<typeof stdinOptions>;
export type TcpdumpOptions = z.infer<typeof tcpdumpOptions>;
