import { readFileSync } from 'node:fs';
import type { Conversation } from './conversation.ts';

const PROTOCOLS: Record<string, number> = { tcp: 6, udp: 17 };

/** Connections of a Zeek `conn.log`; its bytes are IP bytes, its times are masked. */
export function readConnLog(path: string): Conversation[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  const fields = lines
    .find((line) => line.startsWith('#fields'))!
    .split('\t')
    .slice(1);
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const cells = line.split('\t');
      return conversation((name) => cells[fields.indexOf(name)]);
    });
}

function conversation(cell: (name: string) => string): Conversation {
  const protocol = PROTOCOLS[cell('proto')] ?? Number(cell('ip_proto'));
  const hasPorts = cell('proto') === 'tcp' || cell('proto') === 'udp';
  return {
    protocol,
    source: { address: cell('id.orig_h'), port: hasPorts ? Number(cell('id.orig_p')) : 0 },
    destination: { address: cell('id.resp_h'), port: hasPorts ? Number(cell('id.resp_p')) : 0 },
    packets: [Number(cell('orig_pkts')), Number(cell('resp_pkts'))],
    ipBytes: [Number(cell('orig_ip_bytes')), Number(cell('resp_ip_bytes'))],
  };
}

/** The trace that each of Zeek's tests reads, from the tests' own scripts. */
export const ZEEK_TRACES: Readonly<Record<string, string>> = {
  'core.history-flip': 'tcp/missing-syn.pcap',
  'core.ppp': 'ppp/quic-interop-retry.pcap',
  'core.tcp-padding': 'tcp-http-with-padding.pcap',
  'core.tcp.large-file-reassembly': 'ftp/bigtransfer.pcap',
  'core.tcp.miss-end-data': 'tcp/miss_end_data.pcap',
  'core.tcp.missing-syn': 'tcp/missing-syn.pcap',
  'core.unknown-ip-protocol': 'communityid/sctp.pcap',
  'core.vlan-mpls': 'mixed-vlan-mpls.pcap',
  'scripts.base.protocols.ftp.ftp-ipv6': 'ftp/ipv6.pcap',
  'scripts.base.protocols.ftp.ftp-max-pending-commands': 'ftp/fake-server-delays-all.pcap',
  'scripts.base.protocols.ftp.ftp-missing-space-after-reply-code': 'ftp/ftp-missing-space-after-reply-code.pcap',
  'scripts.base.protocols.ftp.ftp-password-pass-command': 'ftp/ftp-password-pass-command.pcap',
  'scripts.base.protocols.ftp.ftp-password-pass-command-hidden': 'ftp/ftp-password-pass-command.pcap',
  'scripts.base.protocols.irc.starttls': 'tls/irc-starttls.pcap',
  'scripts.base.protocols.ldap.attributes': 'ldap/simpleauth.pcap',
  'scripts.base.protocols.ldap.basic': 'ldap/simpleauth.pcap',
  'scripts.base.protocols.ldap.log_policy': 'ldap/simpleauth.pcap',
  'scripts.base.protocols.ldap.sasl-srp-who-am-i': 'ldap/sasl-srp-who-am-i.pcap',
  'scripts.base.protocols.mysql.encrypted': 'mysql/encrypted.pcap',
  'scripts.base.protocols.ntp.misordered-ntp': 'ntp/misordered-ntp.pcap',
  'scripts.base.protocols.pop3.starttls': 'tls/pop3-starttls.pcap',
  'scripts.base.protocols.rdp.rdpeudp2-handshake-success': 'rdp/rdpeudp2-handshake-success.pcap',
  'scripts.base.protocols.ssh.half-duplex-client': 'ssh/ssh.client-side-half-duplex.pcap',
};
