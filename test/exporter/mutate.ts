/** Numbers from a seed (mulberry32), so that a failure can be had again. */
export function random(seed: number): (below: number) => number {
  let a = seed;
  return (below) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A datagram with some bytes changed, and perhaps cut off. */
export function mutate(data: Uint8Array, next: (below: number) => number): Uint8Array {
  const cut = next(4) === 0 ? data.slice(0, next(data.length + 1)) : data.slice();
  if (cut.length === 0) return cut;
  for (let n = next(6); n >= 0; n--) {
    const at = next(4) === 0 ? next(Math.min(60, cut.length)) : next(cut.length);
    cut[at] = [0, 255, next(256), cut[at] ^ (1 << next(8))][next(4)];
  }
  return cut;
}
