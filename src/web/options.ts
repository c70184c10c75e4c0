import { z } from 'zod';

const LISTEN = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/;

/** `http:` of the configuration. */
export const httpOptions = z
  .strictObject({
    listen: z
      .string()
      .refine((text) => parseListen(text) !== null, 'ADDRESS:PORT such as 127.0.0.1:8686, [::1]:8686; off')
      .default('127.0.0.1:8686')
      .describe('Where the dashboard, its API and /metrics are served; `off`: nowhere.'),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('The address by which people reach the dashboard: the link in notifications.'),
    token: z.string().min(16).optional().describe('Whoever asks from elsewhere than loopback must bring it.'),
    token_file: z.string().min(1).optional(),
    token_env: z.string().min(1).optional(),
  })
  .superRefine((http, context) => {
    const given = (['token', 'token_file', 'token_env'] as const).filter((key) => http[key] !== undefined);
    if (given.length > 1)
      context.addIssue({ code: 'custom', path: [given[1]], message: `give one of ${given.join(', ')}` });
    const listen = parseListen(http.listen);
    if (listen && listen !== 'off' && !isLoopback(listen.host) && given.length === 0) {
      const message = `${http.listen} is reachable from elsewhere: give token, token_file or token_env`;
      context.addIssue({ code: 'custom', path: ['listen'], message });
    }
  });

export type HttpOptions = z.infer<typeof httpOptions>;

/** Host and port; null where it is neither that nor `off`. An empty host is every address. */
export function parseListen(text: string): { host: string; port: number } | 'off' | null {
  if (text === 'off') return 'off';
  const match = LISTEN.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) return null;
  return { host: match[1] ?? (match[2] || '::'), port };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
