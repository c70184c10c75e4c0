import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fileLogKind, LogReader, logKindOf } from '../../src/log/log.ts';
import { createFlowBatch, ESTABLISHED } from '../../src/model/flow-batch.ts';
import { Names } from '../../src/model/names.ts';
import { bytesStream, readLog } from './read.ts';

const lines = (...rows: string[]): string => `${rows.join('\n')}\n`;

describe('Suricata EVE', () => {
  const ends = '"src_ip":"192.0.2.1","src_port":1025,"dest_ip":"198.51.100.2","dest_port":443,"proto":"TCP"';
  const flow =
    `{"timestamp":"2017-09-10T17:53:00.000000+0200","flow_id":1,"event_type":"flow","vlan":[7,8],${ends},"app_proto":"tls",` +
    '"flow":{"pkts_toserver":3,"pkts_toclient":2,"bytes_toserver":300,"bytes_toclient":1200,"start":"2017-09-10T17:52:28.969488+0200",' +
    '"end":"2017-09-10T17:52:29.5+0200","state":"closed"},"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"12"}}';
  const alert = `{"timestamp":"2017-09-10T17:53:00.000000+0000","event_type":"alert",${ends},"alert":{"signature":"a \\"b\\""},"flow":{"pkts_toserver":1}}`;
  const netflow = `{"timestamp":"2017-09-10T17:53:00.000000+0000","event_type":"netflow",${ends},"netflow":{"pkts":3,"bytes":300,"start":"2017-09-10T17:52:28.000000+0000","end":"2017-09-10T17:52:29.000000+0000"}}`;

  it('a flow event is a biflow; alerts and second counts are none', async () => {
    const { flows, reader } = await readLog(
      lines('{"event_type":"stats","stats":{"a":[1,{"b":"}"}]}}', flow, alert, netflow),
      { piece: 50 },
    );
    expect(flows).toEqual([
      expect.objectContaining({
        flowStart: '2017-09-10T15:52:28.969488Z',
        flowEnd: '2017-09-10T15:52:29.500000Z',
        sourceAddress: '192.0.2.1',
        destinationTransportPort: 443,
        packetDeltaCount: 3,
        octetDeltaCount: 300,
        reversePacketDeltaCount: 2,
        reverseOctetDeltaCount: 1200,
        tcpControlBits: 0x1b,
        reverseTcpControlBits: 0x12,
        vlanId: 7,
      }),
    ]);
    expect(Object.fromEntries(reader.skipped)).toEqual({ other_event: 1, alert: 1, second_count: 1 });
    expect(reader.error).toBeNull();
  });

  it('netflow events are one direction', async () => {
    const { flows } = await readLog(lines(netflow));
    expect(flows[0]).toMatchObject({ packetDeltaCount: 3, octetDeltaCount: 300 });
    expect(flows[0]).not.toHaveProperty('reversePacketDeltaCount');
  });

  it('a broken line costs only itself; a cut last one is damage', async () => {
    const { flows, reader } = await readLog(lines(flow, flow.slice(0, 200), flow) + flow.slice(0, -1));
    expect(flows.length).toBe(2);
    expect(reader.badRows).toBe(2);
    expect(reader.error?.message).toContain('line 2');
  });
});

describe('VPC flow logs', () => {
  it('the default format with and without its header', async () => {
    const header =
      'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status';
    const row =
      '2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK';
    const none = '2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA';
    for (const text of [lines(header, row, none), lines(row, none)]) {
      const { flows, reader } = await readLog(text);
      expect(flows).toEqual([
        expect.objectContaining({
          flowStart: '2014-12-14T04:06:50.000000Z',
          flowEnd: '2014-12-14T04:07:50.000000Z',
          packetDeltaCount: 20,
          octetDeltaCount: 4249,
          sourceTransportPort: 20641,
          destinationTransportPort: 22,
          exporter: 'eni-1235b8ca123456789',
        }),
      ]);
      expect(Object.fromEntries(reader.skipped)).toEqual({ no_data: 1 });
      expect(reader.error).toBeNull();
    }
  });

  it('a log without flags: TCP is a connection when it was let through, a request when it was not', async () => {
    const row = (action: string): string =>
      `2 123456789010 eni-1235b8ca123456789 192.0.2.1 192.0.2.2 1025 22 6 1 40 1418530010 1418530070 ${action} OK`;
    const reader = new LogReader('log', bytesStream(Buffer.from(lines(row('ACCEPT'), row('REJECT')))), 'vpc', {
      names: new Names(),
    });
    const batch = createFlowBatch(2);
    await reader.read(batch);
    expect([0, 1].map((n) => [batch.meta[n] & ESTABLISHED, batch.tcpControlBits[n]])).toEqual([
      [ESTABLISHED, 0],
      [0, 2],
    ]);
  });

  it('a custom format: columns by their names, in any order', async () => {
    const text = lines(
      'version vpc-id tcp-flags dstaddr srcaddr srcport dstport protocol type start end packets bytes',
      '3 vpc-1 19 2001:db8::1 2001:db8::2 1 2 6 IPv6 1566848875 1566848933 96 134000',
    );
    const { flows } = await readLog(text);
    expect(flows[0]).toMatchObject({
      sourceAddress: '2001:db8::2',
      destinationAddress: '2001:db8::1',
      tcpControlBits: 19,
      octetDeltaCount: 134_000,
    });
  });
});

describe('nfdump', () => {
  const OLD = 'ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das,tr';
  it('the columns of 1.6 and 1.7', async () => {
    const text = lines(
      OLD,
      '2026-12-06 00:42:15,2026-12-06 00:42:22,6.160,192.168.1.79,131.159.21.1,51880,22,TCP,...AP.SF,0,4,25,3981,0,0,3,0,0,64496,2026-11-24 06:54:49.136',
      '2026-12-06 00:42:15,2026-12-06 00:42:15,0.000,192.168.1.79,131.159.21.1,0,3.1,ICMP,........,0,0,1,84,2,168,0,0,0,0,2026-11-24 06:54:49.136',
      'Summary',
      'flows,bytes,packets,avg_bps,avg_pps,avg_bpp',
      '20,98131,838,0,0,117',
    );
    const { flows, reader } = await readLog(text, { piece: 33 });
    expect(reader.error).toBeNull();
    expect(flows[0]).toMatchObject({
      flowStart: '2026-12-06T00:42:15.000000Z',
      flowEnd: '2026-12-06T00:42:21.160000Z',
      packetDeltaCount: 25,
      octetDeltaCount: 3981,
      tcpControlBits: 0x1b,
      ipClassOfService: 4,
      ingressInterface: 3,
      bgpDestinationAsNumber: 64_496,
    });
    expect(flows[0]).not.toHaveProperty('reversePacketDeltaCount');
    expect(flows[0]).not.toHaveProperty('egressInterface');
    expect(flows[1]).toMatchObject({
      icmpType: 3,
      icmpCode: 1,
      reversePacketDeltaCount: 2,
      reverseOctetDeltaCount: 168,
    });
  });

  it('the columns of 1.7.3 and later, and csv-fast', async () => {
    const text = lines(
      'firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,bps,bpp,flows',
      '2023-07-10 12:59:36.010,00:00:01.500,UDP,192.0.2.1,53,2001:db8::1,1024,7,700,0,100,1',
    );
    const { flows } = await readLog(text);
    expect(flows[0]).toMatchObject({
      flowStart: '2023-07-10T12:59:36.010000Z',
      flowEnd: '2023-07-10T12:59:37.510000Z',
      octetDeltaCount: 700,
    });
    const fast = lines(
      'cnt,af,firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,srcAS,dstAS,input,output,flags,srcTos,packets,bytes',
      '1,2,1689000000123,1689000001000,6,192.0.2.1,1,192.0.2.2,2,0,0,1,2,...A..S.,0,5,500',
    );
    expect((await readLog(fast)).flows[0]).toMatchObject({
      flowStart: '2023-07-10T14:40:00.123000Z',
      tcpControlBits: 18,
      ingressInterface: 1,
    });
  });

  const record = (first: string): string =>
    `{\n\t"type" : "FLOW",\n\t"sampled" : 0,\n\t"${first}first" : "2026-12-06T00:42:15.917",\n\t"${first}last" : "2026-12-06T00:42:22.077",\n` +
    '\t"in_packets" : 25,\n\t"in_bytes" : 3981,\n\t"proto" : 6,\n\t"tcp_flags" : "...AP.SF",\n\t"src_port" : 51880,\n\t"dst_port" : 22,\n' +
    '\t"src4_addr" : "192.168.1.79",\n\t"dst4_addr" : "131.159.21.1",\n\t"label" : "<none>"\n}';

  it('JSON as a list, as objects, and one a line', async () => {
    const row = {
      flowStart: '2026-12-06T00:42:15.917000Z',
      packetDeltaCount: 25,
      tcpControlBits: 0x1b,
      destinationTransportPort: 22,
    };
    const ndjson = record('').replace(/[\n\t]/g, '');
    for (const text of [
      `[\n${record('')},\n${record('t_')}\n]\n`,
      `${record('t_')}\n\n${record('')}\n`,
      lines(ndjson, ndjson),
      `[\n${record('')}\n,\n${record('')}]`,
    ]) {
      const { flows, reader } = await readLog(text, { piece: 100 });
      expect(reader.error).toBeNull();
      expect(flows).toEqual([expect.objectContaining(row), expect.objectContaining(row)]);
    }
    const cut = await readLog(`[\n${record('')},\n${record('').slice(0, -20)}`);
    expect(cut.flows.length).toBe(1);
    expect(cut.reader.badRows).toBe(1);
  });
});

describe('GoFlow2', () => {
  it('version 2: counts are scaled by the rate', async () => {
    const text = lines(
      '{"type":"SFLOW_5","time_received_ns":1681583295157626000,"sequence_num":2999,"sampling_rate":100,"sampler_address":"192.0.2.9","time_flow_start_ns":1681583295157626123,"time_flow_end_ns":1681583295157626000,"bytes":1500,"packets":1,"src_addr":"192.0.2.1","dst_addr":"2001:db8::1","etype":"IPv4","proto":"TCP","src_port":443,"dst_port":50001,"in_if":1,"src_mac":"00:0c:29:aa:bb:cc","vlan_id":0,"tcp_flags":24,"src_as":65001}',
    );
    const { flows } = await readLog(text);
    expect(flows[0]).toMatchObject({
      flowStart: '2023-04-15T18:28:15.157626Z',
      packetDeltaCount: 100,
      octetDeltaCount: 150_000,
      samplingInterval: 100,
      exporter: '192.0.2.9',
      sourceMacAddress: '00:0c:29:aa:bb:cc',
      bgpSourceAsNumber: 65_001,
    });
    expect(flows[0]).not.toHaveProperty('vlanId');
  });

  it('version 1', async () => {
    const text = lines(
      '{"Type":"NETFLOW_V9","TimeReceived":1681583295,"SamplingRate":0,"SamplerAddress":"192.0.2.9","TimeFlowStart":1681583290,"TimeFlowEnd":1681583294,"Bytes":100,"Packets":1,"SrcAddr":"192.0.2.1","DstAddr":"192.0.2.2","Proto":17,"SrcPort":53,"DstPort":5}',
    );
    expect((await readLog(text)).flows[0]).toMatchObject({
      flowEnd: '2023-04-15T18:28:14.000000Z',
      samplingInterval: null,
      packetDeltaCount: 1,
    });
  });
});

describe('Google VPC flow logs', () => {
  it('a record is one direction, within a log entry or by itself', async () => {
    const payload =
      '{"bytes_sent":"1776","connection":{"dest_ip":"192.0.2.9","dest_port":22,"protocol":6,"src_ip":"10.0.0.2","src_port":50000},' +
      '"end_time":"2018-05-09T15:30:34.014862Z","packets_sent":"12","reporter":"SRC","start_time":"2018-05-09T15:30:31.015811Z"}';
    const { flows, reader } = await readLog(lines(`{"insertId":"x","jsonPayload":${payload}}`, payload));
    expect(reader.error).toBeNull();
    const flow = expect.objectContaining({
      flowStart: '2018-05-09T15:30:31.015811Z',
      sourceAddress: '10.0.0.2',
      destinationTransportPort: 22,
      packetDeltaCount: 12,
      octetDeltaCount: 1776,
    });
    expect(flows).toEqual([flow, flow]);
  });
});

describe('a mapping', () => {
  it('columns, units and times that the configuration names', async () => {
    const { flows } = await readLog(
      lines('when;src;dst;kb;proto', '1689000000123;192.0.2.1;192.0.2.2;1.5;udp', 'x;192.0.2.1;192.0.2.2;1;udp'),
      {
        format: {
          format: 'csv',
          separator: ';',
          fields: {
            when: { to: 'flowStart', unit: 'ms' },
            src: 'sourceAddress',
            dst: 'destinationAddress',
            kb: { to: 'octetDeltaCount', unit: 'KB' },
            proto: 'protocolIdentifier',
          },
        },
      },
    );
    expect(flows).toEqual([
      expect.objectContaining({
        flowStart: '2023-07-10T14:40:00.123000Z',
        octetDeltaCount: 1500,
        protocolIdentifier: 17,
      }),
    ]);
  });

  it('the labelled flows of Argus: one mapping reads them', async () => {
    const { flows, reader } = await readLog(
      lines(
        'StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label',
        '2011/08/10 09:46:59.607825,1.026539,tcp,94.44.127.113,1577,   ->,147.32.84.59,6881,S_RA,0,0,4,276,156,flow=Background',
        '2011/08/10 09:47:00.634364,0.0,icmp,147.32.84.1,0x0303,   ->,147.32.85.2,0x5bd1,URP,0,,1,70,70,flow=To-Botnet',
      ),
      {
        format: {
          format: 'csv',
          separator: ',',
          fields: {
            StartTime: 'flowStart',
            Dur: 'flowDuration',
            Proto: 'protocolIdentifier',
            SrcAddr: 'sourceAddress',
            Sport: 'sourceTransportPort',
            DstAddr: 'destinationAddress',
            Dport: 'destinationTransportPort',
            TotPkts: 'packetDeltaCount',
            TotBytes: 'octetDeltaCount',
          },
        },
      },
    );
    expect(reader.error).toBeNull();
    expect(flows[0]).toMatchObject({
      flowStart: '2011-08-10T09:46:59.607825Z',
      flowEnd: '2011-08-10T09:47:00.634364Z',
      sourceTransportPort: 1577,
      octetDeltaCount: 276,
    });
    expect(flows[1]).toMatchObject({ protocolIdentifier: 1, packetDeltaCount: 1 });
  });

  it('paths in JSON', async () => {
    const { flows } = await readLog('{"net":{"from":"192.0.2.1","to":"192.0.2.2"},"bits":800}\n', {
      format: {
        format: 'json',
        separator: ',',
        fields: {
          'net/from': 'sourceAddress',
          'net/to': 'destinationAddress',
          bits: { to: 'octetDeltaCount', unit: 'bits' },
        },
      },
    });
    expect(flows[0]).toMatchObject({ destinationAddress: '192.0.2.2', octetDeltaCount: 100 });
  });
});

describe('what a file is', () => {
  it('is told by content, compressed or not', () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-test-'));
    const text = Buffer.from(`${'{"event_type":"flow"}\n'.repeat(9000)}`);
    for (const [name, bytes] of [
      ['a', text],
      ['b.gz', gzipSync(text)],
      ['c.zst', zstdCompressSync(text)],
    ] as const) {
      writeFileSync(join(folder, name), bytes);
      expect(fileLogKind(join(folder, name))).toBe('eve');
    }
  });

  it('other texts and captures are none', () => {
    for (const text of [
      '',
      '{}',
      '[1,2]',
      'timestamp,series,value\n',
      'hello world',
      '# a comment\n',
      '\xd4\xc3\xb2\xa1\0\0',
    ]) {
      expect(logKindOf(Buffer.from(text, 'latin1'))).toBeNull();
    }
  });
});
