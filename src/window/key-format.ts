import { formatAddress, isMapped, parseAddress } from '../model/address.ts';
import { FIELDS, type FieldType } from '../model/field.ts';
import type { KeyPart } from '../model/plan.ts';
import type { Key } from '../model/window-result.ts';
import type { Texts } from './texts.ts';

interface Part {
  field: string;
  type: FieldType;
  prefix: KeyPart['prefix'];
  /** First word within the key. */
  word: number;
  words: number;
}

/** Turns the words of a key (or of a tuple of values) into what people read, and puts keys in order. */
export class KeyFormat {
  readonly #parts: Part[] = [];
  readonly texts: Texts;
  /** Words of a key. */
  readonly length: number;

  constructor(parts: readonly KeyPart[], texts: Texts) {
    this.texts = texts;
    let word = 0;
    for (const { field, prefix } of parts) {
      const { type } = FIELDS[field];
      const words = type === 'ip' ? 4 : type === 'mac' ? 2 : 1;
      this.#parts.push({ field, type, prefix, word, words });
      word += words;
    }
    this.length = word;
  }

  /** The words of a key that people read; null when it is none of this format. */
  words(key: Key): Int32Array | null {
    const words = new Int32Array(this.length);
    for (const part of this.#parts) if (!this.#read(part, key[part.field], words)) return null;
    return words;
  }

  #read(part: Part, value: string | number | undefined, words: Int32Array): boolean {
    switch (part.type) {
      case 'ip':
        return parseAddress(String(value).split('/')[0], words, part.word);
      case 'mac': {
        const mac = Number.parseInt(String(value).replaceAll(':', ''), 16);
        words[part.word] = mac / 2 ** 32;
        words[part.word + 1] = mac % 2 ** 32;
        return !Number.isNaN(mac);
      }
      case 'text':
        words[part.word] = this.texts.id(part.field, String(value));
        return words[part.word] !== 0;
      default:
        words[part.word] = Number(value);
        return value !== undefined;
    }
  }

  key(words: Int32Array, at: number): Key {
    return Object.fromEntries(this.#parts.map((part) => [part.field, this.#value(part, words, at + part.word)]));
  }

  /** `dst.ip=192.0.2.7,dst.port=443`; empty for the key without fields. */
  text(words: Int32Array, at: number): string {
    return this.#parts.map((part) => `${part.field}=${this.#value(part, words, at + part.word)}`).join(',');
  }

  /** Values only, joined by a blank: of a tuple in evidence and details. */
  tuple(words: Int32Array, at: number): string {
    return this.#parts.map((part) => this.#value(part, words, at + part.word)).join(' ');
  }

  #value(part: Part, words: Int32Array, at: number): string | number {
    switch (part.type) {
      case 'ip':
        return addressText(words, at, part.prefix);
      case 'mac':
        return macText((words[at] >>> 0) * 2 ** 32 + (words[at + 1] >>> 0));
      case 'text':
        return this.texts.text(part.field, words[at]);
      default:
        return words[at] >>> 0;
    }
  }

  /** Orders two keys part by part: addresses and numbers by size, texts by their letters. */
  compare(a: Int32Array, at: number, b: Int32Array, bt: number): number {
    for (const part of this.#parts) {
      const order = part.type === 'text' ? this.#compareText(part, a[at + part.word], b[bt + part.word]) : 0;
      if (order !== 0) return order;
      if (part.type === 'text') continue;
      for (let k = part.word; k < part.word + part.words; k++) {
        if (a[at + k] !== b[bt + k]) return a[at + k] >>> 0 < b[bt + k] >>> 0 ? -1 : 1;
      }
    }
    return 0;
  }

  #compareText(part: Part, a: number, b: number): number {
    if (a === b) return 0;
    const left = this.texts.text(part.field, a);
    const right = this.texts.text(part.field, b);
    return left < right ? -1 : left > right ? 1 : 0;
  }
}

/** An address cut to a prefix reads as the prefix: `192.0.2.0/24`. */
function addressText(words: Int32Array, at: number, prefix: KeyPart['prefix']): string {
  const text = formatAddress(words, at);
  if (prefix === null) return text;
  const v4 = isMapped(words, at);
  const bits = v4 ? prefix.ipv4 : prefix.ipv6;
  return bits >= (v4 ? 32 : 128) ? text : `${text}/${bits}`;
}

export function macText(mac: number): string {
  const hex = mac.toString(16).padStart(12, '0');
  return (hex.match(/../g) ?? []).join(':');
}
