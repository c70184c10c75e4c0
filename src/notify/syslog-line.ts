/** Facility codes (RFC 5424, section 6.2.1). */
export const FACILITIES = {
  user: 1,
  daemon: 3,
  auth: 4,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;

/** Enterprise number for examples (RFC 5612), which stands for whoever has none of their own. */
const SD_ID = 'weir@32473';
const BOM = '\ufeff';
/** What every receiver should take (RFC 5425, section 4.3.1), with room for the head. */
const MOST_TEXT_BYTES = 4096;
const MOST_VALUE = 256;

export interface SyslogMessage {
  facility: number;
  /** 0 emergency .. 7 debug. */
  severity: number;
  nowUs: number;
  host: string;
  app: string;
  messageId: string;
  facts: Readonly<Record<string, string>>;
  text: string;
}

/**
 * One message (RFC 5424, section 6):
 * `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [SD-ID NAME="VALUE" ...] BOM MSG`, at most 8 kB, on one line.
 */
export function syslogLine({ facility, severity, nowUs, host, app, messageId, facts, text }: SyslogMessage): Buffer {
  const time = new Date(nowUs / 1000).toISOString();
  const head = `<${facility * 8 + severity}>1 ${time} ${word(host, 255)} ${word(app, 48)} ${process.pid} ${word(messageId, 32)}`;
  const pairs = Object.entries(facts).map(([name, value]) => ` ${paramName(name)}="${paramValue(value)}"`);
  let room = MOST_TEXT_BYTES;
  let data = '';
  for (const pair of pairs) {
    room -= Buffer.byteLength(pair);
    if (room >= 0) data += pair;
  }
  const message = cut(text.replace(/[\p{Cc}]+/gu, ' '), MOST_TEXT_BYTES);
  return Buffer.from(`${head} [${SD_ID}${data}] ${BOM}${message}`);
}

/** Printable ASCII without blanks; `-` where nothing is left (NILVALUE). */
function word(text: string, most: number): string {
  return text.replace(/[^!-~]/g, '').slice(0, most) || '-';
}

/** SD-NAME: as `word`, without `=`, `]` and quotes, at most 32. */
function paramName(text: string): string {
  return text.replace(/[^!-~]|[="\]]/g, '').slice(0, 32);
}

/** Section 6.3.3: quotes, backslashes and brackets are escaped. */
function paramValue(text: string): string {
  return text
    .replace(/[\p{Cc}]+/gu, ' ')
    .slice(0, MOST_VALUE)
    .replace(/["\\\]]/g, '\\$&');
}

/** At most so many bytes of UTF-8, never half a character. */
function cut(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  let end = most;
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
