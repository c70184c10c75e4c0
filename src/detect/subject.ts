import type { StateReader, StateWriter } from '../core/state.ts';
import type { Key, KeyHandle } from '../model/window-result.ts';

/** A key that is judged in windows without it, too. */
export interface Subject {
  key: Key;
  text: string;
  handle: KeyHandle;
}

export function saveSubject({ key, text, handle }: Subject, out: StateWriter): void {
  out.json([text, key]);
  out.array(handle);
}

export function restoreSubject(state: StateReader): Subject {
  const [text, key] = state.json<[string, Key]>();
  return { text, key, handle: state.array(Int32Array) };
}
