/**
 * ICMP messages that ask and the ones that answer them, so that both are one flow. The pairs are those of the
 * Community ID specification (github.com/corelight/community-id-spec), which stands in for ports with them.
 */
const IPV4_PAIRS: readonly [number, number][] = [
  [8, 0], // echo
  [13, 14], // timestamp
  [15, 16], // information
  [10, 9], // router solicitation, advertisement
  [17, 18], // address mask
];
const IPV6_PAIRS: readonly [number, number][] = [
  [128, 129], // echo
  [133, 134], // router solicitation, advertisement
  [135, 136], // neighbour solicitation, advertisement
  [130, 131], // multicast listener query, report
  [144, 145], // home agent address discovery
  [139, 140], // node information
];

const COUNTERPART = new Int16Array(512).fill(-1);
for (const [at, pairs] of [
  [0, IPV4_PAIRS],
  [256, IPV6_PAIRS],
] as const) {
  for (const [ask, answer] of pairs) {
    COUNTERPART[at + ask] = answer;
    COUNTERPART[at + answer] = ask;
  }
}

/** The type that answers `type` (or that it answers); -1 where a message stands alone. */
export function icmpCounterpart(type: number, ipv6: boolean): number {
  return COUNTERPART[(ipv6 ? 256 : 0) + (type & 255)];
}
