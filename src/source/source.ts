import type { PacketReader } from '../model/packet-reader.ts';
import { FileInput } from './byte-input.ts';
import { CaptureReader, FailedReader } from './capture-reader.ts';

/** Opens one capture. What cannot be opened is a reader without packets and with an error. */
export function openCapture(path: string): PacketReader {
  try {
    return new CaptureReader(path, new FileInput(path));
  } catch (cause) {
    return new FailedReader(path, 'capture.open', cause);
  }
}
