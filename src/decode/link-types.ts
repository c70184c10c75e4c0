import * as step from './step-codes.ts';

/**
 * The step that a frame of each link type begins with (tcpdump.org/linktypes.html). Link types that are not here are
 * counted and never guessed.
 */
const FIRST_STEPS: readonly (readonly [linkType: number, first: number])[] = [
  [0, step.NULL_LOOPBACK],
  [1, step.ETHERNET],
  [6, step.TOKEN_RING],
  [7, step.ARCNET],
  [8, step.SLIP],
  [9, step.PPP],
  [10, step.FDDI],
  [12, step.IP], // DLT_RAW of most systems
  [14, step.IP], // DLT_RAW of OpenBSD
  [50, step.PPP_HDLC],
  [51, step.PPPOE],
  [100, step.ATM_LLC],
  [101, step.IP],
  [104, step.CHDLC],
  [105, step.WLAN],
  [106, step.ATM_CLIP],
  [107, step.FRAME_RELAY],
  [108, step.NULL_LOOPBACK],
  [109, step.ENC],
  [113, step.SLL],
  [117, step.PFLOG],
  [119, step.PRISM_OR_AVS],
  [123, step.SUNATM],
  [127, step.RADIOTAP],
  [128, step.TZSP],
  [129, step.ARCNET_LINUX],
  [138, step.IEEE1394],
  [149, step.PKTAP], // LINKTYPE_USER2, as Apple's own captures have it
  [163, step.PRISM_OR_AVS],
  [166, step.PPP_DIRECTION],
  [178, step.JUNIPER_ETHER],
  [179, step.JUNIPER_PPP],
  [180, step.JUNIPER_FRAME_RELAY],
  [181, step.JUNIPER_CHDLC],
  [192, step.PPI],
  [197, step.ERF],
  [204, step.PPP_DIRECTION],
  [205, step.CHDLC_DIRECTION],
  [206, step.FRAME_RELAY_DIRECTION],
  [219, step.MPLS],
  [226, step.IPNET],
  [228, step.IP],
  [229, step.IP],
  [239, step.NFLOG],
  [242, step.IPOIB],
  [258, step.PKTAP],
  [276, step.SLL2],
  [281, step.BRCM],
  [282, step.BRCM_PREPEND],
  [284, step.DSA],
  [285, step.EDSA],
];

const LINK_STEPS: ReadonlyMap<number, number> = new Map(FIRST_STEPS);

/** Where a frame of this link type begins, `END` for one that is not known. */
export function linkStep(linkType: number): number {
  return LINK_STEPS.get(linkType) ?? step.END;
}

export const LINK_TYPES: readonly number[] = FIRST_STEPS.map(([linkType]) => linkType);
