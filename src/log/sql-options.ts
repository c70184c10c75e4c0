import { z } from 'zod';
import { sourceFields } from '../model/source-options.ts';
import { delayOption, fieldsOptions } from './options.ts';

export const sqlOptions = z
  .strictObject({
    ...sourceFields,
    type: z.literal('sql'),
    url: z
      .string()
      .optional()
      .describe('postgresql://user@host:port/database; without it PGHOST and the like are taken.'),
    url_file: z.string().optional().describe('File that holds the URL with its password.'),
    table: z.string().min(1).describe('Table or view, with its schema where it needs one.'),
    id: z.string().default('id').describe('Column that tells rows of one transaction apart (bigint).'),
    xid: z
      .string()
      .default('xid')
      .describe('Column `xid8 DEFAULT pg_current_xact_id()`: which transaction wrote the row.'),
    fields: fieldsOptions,
    delay: delayOption,
    page: z.int().min(1).max(100_000).default(5000).describe('Rows a query.'),
    poll: sourceFields.idle.describe('How often new rows are asked for. Default: 2s.'),
  })
  .describe('Flow rows of a PostgreSQL table, polled; rows that are committed late are not missed.');

export type SqlOptions = z.infer<typeof sqlOptions>;
