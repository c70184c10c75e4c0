import { addElement, type Elements } from './record-elements.ts';
import type { Xdr } from './xdr.ts';

/**
 * Counter records of enterprise 0: names and types as sFlow's structures have them (sflow.org: sflow_version_5.txt,
 * sflow_host.txt, sflow_lag.txt, sflow_openflow.txt, sflow_80211.txt, ...). A name alone is 32 bits; `:64` hyper, `:f`
 * float, `:s` string, `:m` MAC address, `:16` sixteen opaque bytes, `:4` four.
 */
const STRUCTURES: Readonly<Record<number, string>> = {
  1:
    'ifIndex ifType ifSpeed:64 ifDirection ifStatus ifInOctets:64 ifInUcastPkts ifInMulticastPkts ifInBroadcastPkts ' +
    'ifInDiscards ifInErrors ifInUnknownProtos ifOutOctets:64 ifOutUcastPkts ifOutMulticastPkts ifOutBroadcastPkts ' +
    'ifOutDiscards ifOutErrors ifPromiscuousMode',
  2:
    'dot3StatsAlignmentErrors dot3StatsFCSErrors dot3StatsSingleCollisionFrames dot3StatsMultipleCollisionFrames ' +
    'dot3StatsSQETestErrors dot3StatsDeferredTransmissions dot3StatsLateCollisions dot3StatsExcessiveCollisions ' +
    'dot3StatsInternalMacTransmitErrors dot3StatsCarrierSenseErrors dot3StatsFrameTooLongs ' +
    'dot3StatsInternalMacReceiveErrors dot3StatsSymbolErrors',
  3:
    'dot5StatsLineErrors dot5StatsBurstErrors dot5StatsACErrors dot5StatsAbortTransErrors dot5StatsInternalErrors ' +
    'dot5StatsLostFrameErrors dot5StatsReceiveCongestions dot5StatsFrameCopiedErrors dot5StatsTokenErrors ' +
    'dot5StatsSoftErrors dot5StatsHardErrors dot5StatsSignalLoss dot5StatsTransmitBeacons dot5StatsRecoverys ' +
    'dot5StatsLobeWires dot5StatsRemoves dot5StatsSingles dot5StatsFreqErrors',
  4:
    'dot12InHighPriorityFrames dot12InHighPriorityOctets:64 dot12InNormPriorityFrames dot12InNormPriorityOctets:64 ' +
    'dot12InIPMErrors dot12InOversizeFrameErrors dot12InDataErrors dot12InNullAddressedFrames ' +
    'dot12OutHighPriorityFrames dot12OutHighPriorityOctets:64 dot12TransitionIntoTrainings ' +
    'dot12HCInHighPriorityOctets:64 dot12HCInNormPriorityOctets:64 dot12HCOutHighPriorityOctets:64',
  5: 'vlan_id octets:64 ucastPkts multicastPkts broadcastPkts discards',
  6:
    'dot11TransmittedFragmentCount dot11MulticastTransmittedFrameCount dot11FailedCount dot11RetryCount ' +
    'dot11MultipleRetryCount dot11FrameDuplicateCount dot11RTSSuccessCount dot11RTSFailureCount ' +
    'dot11ACKFailureCount dot11ReceivedFragmentCount dot11MulticastReceivedFrameCount dot11FCSErrorCount ' +
    'dot11TransmittedFrameCount dot11WEPUndecryptableCount dot11QoSDiscardedFragmentCount ' +
    'dot11AssociatedStationCount dot11QoSCFPollsReceivedCount dot11QoSCFPollsUnusedCount ' +
    'dot11QoSCFPollsUnusableCount dot11QoSCFPollsLostCount',
  7:
    'dot3adAggPortActorSystemID:m dot3adAggPortPartnerOperSystemID:m dot3adAggPortAttachedAggID dot3adAggPortState:4 ' +
    'dot3adAggPortStatsLACPDUsRx dot3adAggPortStatsMarkerPDUsRx dot3adAggPortStatsMarkerResponsePDUsRx ' +
    'dot3adAggPortStatsUnknownRx dot3adAggPortStatsIllegalRx dot3adAggPortStatsLACPDUsTx ' +
    'dot3adAggPortStatsMarkerPDUsTx dot3adAggPortStatsMarkerResponsePDUsTx',
  8: 'unknown other cam_miss cam_full no_hw_support cntrl',
  1001: '5s_cpu 1m_cpu 5m_cpu total_memory:64 free_memory:64',
  1002: 'elapsed_time on_channel_time on_channel_busy_time',
  1004: 'datapath_id:64 port_no',
  1005: 'port_name:s',
  2000: 'hostname:s uuid:16 machine_type os_name os_release:s',
  2002: 'container_type container_index',
  2003:
    'load_one:f load_five:f load_fifteen:f proc_run proc_total cpu_num cpu_speed uptime cpu_user cpu_nice cpu_system ' +
    'cpu_idle cpu_wio cpu_intr cpu_sintr interrupts contexts cpu_steal cpu_guest cpu_guest_nice',
  2004:
    'mem_total:64 mem_free:64 mem_shared:64 mem_buffers:64 mem_cached:64 swap_total:64 swap_free:64 page_in page_out ' +
    'swap_in swap_out',
  2005: 'disk_total:64 disk_free:64 part_max_used reads bytes_read:64 read_time writes bytes_written:64 write_time',
  2006: 'bytes_in:64 pkts_in errs_in drops_in bytes_out:64 pkts_out errs_out drops_out',
  2007:
    'ipForwarding ipDefaultTTL ipInReceives ipInHdrErrors ipInAddrErrors ipForwDatagrams ipInUnknownProtos ' +
    'ipInDiscards ipInDelivers ipOutRequests ipOutDiscards ipOutNoRoutes ipReasmTimeout ipReasmReqds ipReasmOKs ' +
    'ipReasmFails ipFragOKs ipFragFails ipFragCreates',
  2008:
    'icmpInMsgs icmpInErrors icmpInDestUnreachs icmpInTimeExcds icmpInParamProbs icmpInSrcQuenchs icmpInRedirects ' +
    'icmpInEchos icmpInEchoReps icmpInTimestamps icmpInAddrMasks icmpInAddrMaskReps icmpOutMsgs icmpOutErrors ' +
    'icmpOutDestUnreachs icmpOutTimeExcds icmpOutParamProbs icmpOutSrcQuenchs icmpOutRedirects icmpOutEchos ' +
    'icmpOutEchoReps icmpOutTimestamps icmpOutTimestampReps icmpOutAddrMasks icmpOutAddrMaskReps',
  2009:
    'tcpRtoAlgorithm tcpRtoMin tcpRtoMax tcpMaxConn tcpActiveOpens tcpPassiveOpens tcpAttemptFails tcpEstabResets ' +
    'tcpCurrEstab tcpInSegs tcpOutSegs tcpRetransSegs tcpInErrs tcpOutRsts tcpInCsumErrors',
  2010: 'udpInDatagrams udpNoPorts udpInErrors udpOutDatagrams udpRcvbufErrors udpSndbufErrors udpInCsumErrors',
  2100: 'mhz cpus memory:64 memory_free:64 num_domains',
  2101: 'state cpuTime nrVirtCpu',
  2102: 'memory:64 maxMemory:64',
  2103: 'capacity:64 allocation:64 available:64 rd_req rd_bytes:64 wr_req wr_bytes:64 errs',
  2104: 'rx_bytes:64 rx_packets rx_errs rx_drop tx_bytes:64 tx_packets tx_errs tx_drop',
  2207: 'n_hit n_missed n_lost n_mask_hit n_flows n_masks',
};

const LAYOUTS = new Map(
  Object.entries(STRUCTURES).map(([format, text]) => [
    Number(format),
    text.split(' ').map((word) => word.split(':') as [string, string?]),
  ]),
);

/** Adds the counters of one record; `xdr` holds just its bytes. An unknown structure is hex under `PEN:format`. */
export function addCounters(elements: Elements, enterprise: number, format: number, xdr: Xdr): void {
  const layout = enterprise === 0 ? LAYOUTS.get(format) : undefined;
  if (layout === undefined) {
    if (xdr.left > 0) addElement(elements, `${enterprise}:${format}`, xdr.hex(xdr.left));
    return;
  }
  for (const [name, type] of layout) {
    // Later editions of a structure have more at the end: the record's length tells which it is.
    if (xdr.left === 0) return;
    if (type === undefined) addElement(elements, name, xdr.u32());
    else if (type === '64') addElement(elements, name, xdr.u64());
    else if (type === 'f') addElement(elements, name, xdr.float());
    else if (type === 's') addElement(elements, name, xdr.text());
    else if (type === 'm') addElement(elements, name, xdr.mac());
    else addElement(elements, name, xdr.hex(Number(type)));
  }
}
