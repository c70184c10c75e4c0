/**
 * Packets as a reader found them: places in one block of bytes, with what the capture says of each. The caller owns
 * the batch, a reader fills it; `data` is valid until the reader's next `read`.
 */
export class PacketBatch {
  readonly capacity: number;
  length = 0;
  /** The block that `offset` points into. */
  data: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));
  /** Where the packet's bytes begin in `data`. */
  readonly offset: Int32Array;
  /** Bytes present in `data`; never reaches past its end. */
  readonly capturedLength: Int32Array;
  /** Bytes on the wire, as the capture says. */
  readonly wireLength: Uint32Array;
  /** Event time, whole microseconds since the epoch; NaN when the record has none. */
  readonly timeUs: Float64Array;
  /** The 0..999 nanoseconds below the microsecond. */
  readonly nanos: Uint16Array;
  /** LINKTYPE_ number (tcpdump.org/linktypes.html). */
  readonly linkType: Uint16Array;
  /** Interface within the input, from 0. */
  readonly ingressInterface: Int32Array;

  constructor(capacity = 4096) {
    this.capacity = capacity;
    this.offset = new Int32Array(capacity);
    this.capturedLength = new Int32Array(capacity);
    this.wireLength = new Uint32Array(capacity);
    this.timeUs = new Float64Array(capacity);
    this.nanos = new Uint16Array(capacity);
    this.linkType = new Uint16Array(capacity);
    this.ingressInterface = new Int32Array(capacity);
  }

  /** Points the batch at a new block. */
  setData(data: Uint8Array<ArrayBufferLike>): void {
    this.data = data;
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }
}
