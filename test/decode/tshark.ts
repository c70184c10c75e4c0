/**
 * Holds rows against tshark, packet by packet, over every capture of a data folder:
 * `node test/decode/tshark.ts [folder] [part of a file's name]`. Compares innermost addresses, protocol, IP length, ports,
 * ICMP type and code, VLAN, DNS question and TLS server name. Differences that are argued below are counted, others
 * printed; exit 1 when there are any. Takes minutes, so it is no part of the test run; does nothing without tshark.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { formatAddress, parseAddress } from '../../src/model/address.ts';
import { Names } from '../../src/model/names.ts';
import { PacketBatch } from '../../src/model/packet-batch.ts';
import { PacketRows } from '../../src/model/packet-rows.ts';
import { openCapture } from '../../src/source/source.ts';
import { type ReadableRow, readRow } from './frames.ts';

/** Where weir says something else, and why. */
const ARGUED: [file: RegExp, reason: string][] = [
  [/erspan/, 'the VLAN of the ERSPAN header counts as a tag of the mirrored frame, as Arkime has it'],
  [/sflow_expanded/, 'tshark opens the packets sampled by sFlow; here they are records, not packets'],
  [/802_15_4-data/, 'IEEE 802.15.4 is no link type of weir: counted, not guessed'],
  [/quic-interop-retry/, 'the server name stands in QUIC, which is encrypted'],
  [/tls-client-hello-frag-01/, 'tshark waits for the rest of the record; the name stands in the first segment'],
  [/dns-invalid-opcode/, 'an opcode that does not exist is no DNS message'],
  [/ip6_fragments|ipv6-udp-fragmented/, 'later fragments have the ports of the first'],
  [/LINKTYPE_IPV4_invalid/, 'tshark prints no IPv4 fields; the IPv6 ones agree'],
  [/cve2015-0261/, 'tshark does not decode LINKTYPE_SLIP'],
  [/ipv6-too-long-jumbo/, 'payload length zero without a jumbo option is read as segmentation offload'],
  [/5757531338309632|igmplayer|exception-cast/, 'beyond repair: readers differ'],
  [/pcapng-generator/, 'tshark counts blocks that carry no packet'],
];

const FIELDS = [
  'frame.protocols',
  'ip.src',
  'ip.dst',
  'ip.proto',
  'ip.len',
  'ipv6.src',
  'ipv6.dst',
  'ipv6.plen',
  'ipv6.nxt',
  'ipv6.fraghdr.nxt',
  'tcp.srcport',
  'tcp.dstport',
  'udp.srcport',
  'udp.dstport',
  'sctp.srcport',
  'sctp.dstport',
  'dccp.srcport',
  'dccp.dstport',
  'icmp.type',
  'icmp.code',
  'icmpv6.type',
  'icmpv6.code',
  'vlan.id',
  'ieee8021ad.id',
  'dns.qry.name',
  'tls.handshake.extensions_server_name',
] as const;

const OPTIONS = ['ip.defragment:FALSE', 'ipv6.defragment:FALSE', 'tcp.desegment_tcp_streams:FALSE'];

interface Said {
  addresses: string;
  protocol: number | null;
  bytes: number;
  ports: string | null;
  icmp: string | null;
  vlan: number;
  dns: string;
  sni: string;
}

/** tshark's fields of one packet; every value of a name in the order of the packet. */
class Fields {
  readonly protocols: string[];
  readonly #values: Map<string, string[]>;

  constructor(line: string) {
    const columns = line.split('\t');
    this.#values = new Map(FIELDS.map((name, i) => [name, columns[i] ? columns[i].split(',') : []]));
    this.protocols = columns[0].split(':');
  }

  /** The next value of a name, which is then used up. */
  take(name: (typeof FIELDS)[number]): string | undefined {
    return this.#values.get(name)?.shift();
  }
}

const canonical = (text: string): string => {
  const words = new Int32Array(4);
  return parseAddress(text, words) ? formatAddress(words) : text;
};

/** Goes through the protocols that tshark found, to the innermost IP header; an ICMP error's quotation does not count. */
function interpret(line: string): Said {
  const fields = new Fields(line);
  const said: Said = { addresses: '', protocol: null, bytes: 0, ports: null, icmp: null, vlan: -1, dns: '', sni: '' };
  said.vlan = Number((fields.take('ieee8021ad.id') ?? fields.take('vlan.id')) || -1);
  for (const protocol of fields.protocols) {
    if (protocol === 'ip' || protocol === 'ipv6') header(said, fields, protocol);
    else if (protocol === 'tcp' || protocol === 'sctp' || protocol === 'dccp') ports(said, fields, protocol, protocol);
    else if (protocol === 'udp' || protocol === 'udplite') ports(said, fields, 'udp', protocol);
    else if (protocol === 'icmp' || protocol === 'icmpv6') {
      said.icmp = `${fields.take(`${protocol}.type`)}/${fields.take(`${protocol}.code`)}`;
      said.protocol = protocol === 'icmp' ? 1 : 58;
      return said;
    } else if (protocol === 'esp') said.protocol = 50;
    else if (protocol === 'mipv6') said.protocol = 135;
  }
  // LLMNR has the format of DNS, but is none.
  if (fields.protocols.includes('dns') || fields.protocols.includes('mdns')) {
    said.dns = (fields.take('dns.qry.name') ?? '').toLowerCase().replace('<root>', '.');
  }
  said.sni = fields.take('tls.handshake.extensions_server_name') ?? '';
  return said;
}

function header(said: Said, fields: Fields, version: 'ip' | 'ipv6'): void {
  const source = fields.take(`${version}.src`);
  const destination = fields.take(`${version}.dst`);
  if (source === undefined || destination === undefined) return;
  said.addresses = `${canonical(source)}>${canonical(destination)}`;
  said.ports = null;
  if (version === 'ip') {
    said.protocol = Number(fields.take('ip.proto'));
    said.bytes = Number(fields.take('ip.len'));
    return;
  }
  const next = Number(fields.take('ipv6.nxt'));
  said.protocol = next === 44 ? Number(fields.take('ipv6.fraghdr.nxt')) : next;
  said.bytes = 40 + Number(fields.take('ipv6.plen'));
}

const NUMBERS: Record<string, number> = { tcp: 6, udp: 17, dccp: 33, sctp: 132, udplite: 136 };

function ports(said: Said, fields: Fields, name: 'tcp' | 'udp' | 'sctp' | 'dccp', protocol: string): void {
  const source = fields.take(`${name}.srcport`);
  if (source !== undefined) said.ports = `${source}>${fields.take(`${name}.dstport`)}`;
  said.protocol = NUMBERS[protocol];
}

/** The same of a row. */
function fromRow(row: ReadableRow): Said {
  const ip = row.protocol !== null;
  return {
    addresses: ip ? `${row.src}>${row.dst}` : '',
    protocol: row.protocol,
    bytes: ip ? row.bytes : 0,
    ports: row.ports,
    icmp: row.icmp,
    vlan: row.vlan,
    dns: row.dns,
    sni: row.sni,
  };
}

async function rowsOf(path: string): Promise<ReadableRow[]> {
  const reader = openCapture(path);
  const batch = new PacketBatch(256);
  const rows = new PacketRows(256);
  const names = new Names();
  const decoder = new Decoder({ names }, { metrics: new Metrics() });
  const all: ReadableRow[] = [];
  while (await reader.read(batch)) {
    for (let at = 0; at < batch.length; ) {
      at += decoder.decode(batch, at, batch.length, rows);
      for (let i = 0; i < rows.length; i++) all.push(readRow(rows, i, names));
    }
  }
  reader.close();
  return all;
}

function askTshark(path: string): string[] {
  const options = OPTIONS.flatMap((option) => ['-o', option]);
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  const settings = [
    '-n',
    '-r',
    path,
    ...options,
    '-T',
    'fields',
    '-E',
    'occurrence=a',
    '-E',
    'aggregator=,',
    ...fields,
  ];
  const { stdout } = spawnSync('tshark', settings, { encoding: 'utf8', maxBuffer: 1 << 28, timeout: 120_000 });
  return stdout.split('\n').slice(0, -1);
}

/** Prints what nobody argued; answers how many packets agree, differ with a reason, and differ without. */
async function compare(folder: string, file: string): Promise<[same: number, argued: number, differ: number]> {
  const lines = askTshark(`${folder}/${file}`);
  if (lines.length === 0) return [0, 0, 0];
  const argued = ARGUED.some(([pattern]) => pattern.test(file));
  const counts: [number, number, number] = [0, 0, 0];
  for (const [i, row] of (await rowsOf(`${folder}/${file}`)).entries()) {
    const mine = JSON.stringify(fromRow(row));
    const theirs = i < lines.length ? JSON.stringify(interpret(lines[i])) : 'no such packet';
    counts[mine === theirs ? 0 : argued ? 1 : 2]++;
    if (mine !== theirs && !argued)
      console.log(`${file} #${i + 1} ${row.layers}\n  weir   ${mine}\n  tshark ${theirs}`);
  }
  return counts;
}

async function main(folder: string, part: string): Promise<number> {
  if (spawnSync('tshark', ['--version']).error || !existsSync(`${folder}/CAPINFOS.tsv`)) {
    console.log('skipped: needs tshark and the data folder');
    return 0;
  }
  const table = readFileSync(`${folder}/CAPINFOS.tsv`, 'utf8').split('\n').slice(1, -1);
  const files = table.map((line) => line.split('\t')[0]).filter((file) => file.includes(part));
  let [same, argued, differ] = [0, 0, 0];
  for (const file of files) {
    const counts = await compare(folder, file);
    same += counts[0];
    argued += counts[1];
    differ += counts[2];
  }
  console.log({ files: files.length, same, argued, differ });
  return differ === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv[2] ?? '../shared/data', process.argv[3] ?? '');
