import { hexOf, macText, stringAt } from './field-value.ts';

/** Reads XDR (RFC 4506), which sFlow is written in. Past the end everything is 0 or empty, and `failed` is set. */
export class Xdr {
  data: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  at = 0;
  end = 0;
  failed = false;

  open(data: Uint8Array, view: DataView, at: number, end: number): void {
    this.data = data;
    this.view = view;
    this.at = at;
    this.end = end;
    this.failed = false;
  }

  get left(): number {
    return this.end - this.at;
  }

  /** Where `length` bytes begin, padded to words; -1 when they are not there. */
  take(length: number): number {
    const at = this.at;
    if (length > this.end - at) {
      this.failed = true;
      this.at = this.end;
      return -1;
    }
    this.at = Math.min(this.end, at + ((length + 3) & ~3));
    return at;
  }

  u32(): number {
    const at = this.take(4);
    return at < 0 ? 0 : this.view.getUint32(at);
  }

  u64(): number {
    const at = this.take(8);
    return at < 0 ? 0 : this.view.getUint32(at) * 2 ** 32 + this.view.getUint32(at + 4);
  }

  float(): number {
    const at = this.take(4);
    return at < 0 ? 0 : this.view.getFloat32(at);
  }

  /** A string of at most 64 KiB. */
  text(): string {
    const length = this.u32();
    const at = this.take(length);
    return at < 0 ? '' : stringAt(this.data, at, length);
  }

  hex(length: number): string {
    const at = this.take(length);
    return at < 0 ? '' : hexOf(this.data, at, length);
  }

  /** 6 bytes and 2 of padding. */
  mac(): string {
    const at = this.take(6);
    return at < 0 ? '' : macText(this.data, at);
  }
}
