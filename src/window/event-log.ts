/** Events of one pane: about 40 MB. */
const MOST = 1 << 21;

/** Single events of pairs in arrival order: pair row, time, size. Grows to a limit; the owner resets it every pane. */
export class EventLog {
  length = 0;
  /** Events that had no room, ever. */
  dropped = 0;
  pair = new Int32Array(64);
  timeUs = new Float64Array(64);
  size = new Float64Array(64);

  add(pair: number, timeUs: number, size: number): void {
    if (this.length >= MOST) {
      this.dropped++;
      return;
    }
    if (this.length === this.pair.length) this.#grow();
    this.pair[this.length] = pair;
    this.timeUs[this.length] = timeUs;
    this.size[this.length] = size;
    this.length++;
  }

  #grow(): void {
    const { pair, timeUs, size } = this;
    this.pair = new Int32Array(2 * pair.length);
    this.pair.set(pair);
    this.timeUs = new Float64Array(2 * pair.length);
    this.timeUs.set(timeUs);
    this.size = new Float64Array(2 * pair.length);
    this.size.set(size);
  }

  /** After pairs moved: events of pairs that left (-1) go. */
  rename(places: Int32Array): void {
    let to = 0;
    for (let i = 0; i < this.length; i++) {
      const place = places[this.pair[i]];
      if (place < 0) continue;
      this.pair[to] = place;
      this.timeUs[to] = this.timeUs[i];
      this.size[to++] = this.size[i];
    }
    this.length = to;
  }

  reset(): void {
    this.length = 0;
  }
}
