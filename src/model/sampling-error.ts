/**
 * Half the width of the 95 % interval of a count that was estimated from `samples` sampled packets, as a share of the
 * estimate, to three digits (Phaal and Panchen, "Packet Sampling Basics": 1.96 / sqrt(samples)); 1 without any sample.
 */
export function relativeError(samples: number): number {
  return samples > 0 ? Number((1.96 / Math.sqrt(samples)).toPrecision(3)) : 1;
}
