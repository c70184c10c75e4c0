import { type FieldValue, fieldValue, hexOf, macText, uintAt } from './field-value.ts';
import { addElement, type Elements } from './record-elements.ts';

const VLAN_TAGS = [0x8100, 0x88a8, 0x9100];
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const TCP = 6;
const UDP = 17;

/** What the headers of a sampled frame say, by IANA's names: the outermost ones, as the switch saw them. */
export function headerElements(
  elements: Elements,
  data: Uint8Array,
  from: number,
  end: number,
  linkType: number,
): void {
  const walk = new HeaderWalk(elements, data, end);
  if (linkType === 1) walk.ethernet(from);
  else if (linkType === 228 || linkType === 229) walk.ip(from);
}

class HeaderWalk {
  readonly #elements: Elements;
  readonly #data: Uint8Array;
  readonly #end: number;

  constructor(elements: Elements, data: Uint8Array, end: number) {
    this.#elements = elements;
    this.#data = data;
    this.#end = end;
  }

  ethernet(at: number): void {
    if (at + 14 > this.#end) return;
    const data = this.#data;
    this.#add('destinationMacAddress', macText(data, at));
    this.#add('sourceMacAddress', macText(data, at + 6));
    let next = at + 12;
    let type = uintAt(data, next, 2);
    while (VLAN_TAGS.includes(type) && next + 6 <= this.#end) {
      const tag = uintAt(data, next + 2, 2);
      this.#add('dot1qVlanId', tag & 0xfff);
      this.#add('dot1qPriority', tag >>> 13);
      next += 4;
      type = uintAt(data, next, 2);
    }
    this.#add('ethernetType', type);
    if (type === IPV4 || type === IPV6) this.ip(next + 2);
  }

  ip(at: number): void {
    if (at >= this.#end) return;
    const version = this.#data[at] >>> 4;
    if (version === 4 && at + 20 <= this.#end) this.#ipv4(at);
    else if (version === 6 && at + 40 <= this.#end) this.#ipv6(at);
  }

  #ipv4(at: number): void {
    const data = this.#data;
    const fragment = uintAt(data, at + 6, 2);
    this.#add('ipVersion', 4);
    this.#add('ipClassOfService', data[at + 1]);
    this.#add('ipTotalLength', uintAt(data, at + 2, 2));
    this.#add('fragmentIdentification', uintAt(data, at + 4, 2));
    this.#add('fragmentFlags', (fragment >>> 13) << 5);
    this.#add('fragmentOffset', fragment & 0x1fff);
    this.#add('ipTTL', data[at + 8]);
    this.#add('protocolIdentifier', data[at + 9]);
    this.#add('sourceIPv4Address', fieldValue('ipv4Address', data, at + 12, 4));
    this.#add('destinationIPv4Address', fieldValue('ipv4Address', data, at + 16, 4));
    if ((fragment & 0x1fff) === 0) this.#transport(data[at + 9], at + 4 * (data[at] & 15), 4);
  }

  #ipv6(at: number): void {
    const data = this.#data;
    const word = uintAt(data, at, 4);
    const length = uintAt(data, at + 4, 2);
    this.#add('ipVersion', 6);
    this.#add('ipClassOfService', (word >>> 20) & 255);
    this.#add('flowLabelIPv6', word & 0xfffff);
    this.#add('payloadLengthIPv6', length);
    this.#add('ipTotalLength', 40 + length);
    this.#add('protocolIdentifier', data[at + 6]);
    this.#add('ipTTL', data[at + 7]);
    this.#add('sourceIPv6Address', fieldValue('ipv6Address', data, at + 8, 16));
    this.#add('destinationIPv6Address', fieldValue('ipv6Address', data, at + 24, 16));
    this.#transport(data[at + 6], at + 40, 6);
  }

  #transport(protocol: number, at: number, version: number): void {
    const data = this.#data;
    const left = this.#end - at;
    if ((protocol === TCP || protocol === UDP) && left >= 4) {
      this.#add('sourceTransportPort', uintAt(data, at, 2));
      this.#add('destinationTransportPort', uintAt(data, at + 2, 2));
    }
    if (protocol === UDP && left >= 8) this.#add('udpMessageLength', uintAt(data, at + 4, 2));
    if (protocol === TCP && left >= 20) {
      this.#add('tcpSequenceNumber', uintAt(data, at + 4, 4));
      this.#add('tcpAcknowledgementNumber', uintAt(data, at + 8, 4));
      this.#add('tcpHeaderLength', (data[at + 12] >>> 4) * 4);
      this.#add('tcpControlBits', uintAt(data, at + 12, 2) & 0xfff);
      this.#add('tcpWindowSize', uintAt(data, at + 14, 2));
      this.#add('tcpUrgentPointer', uintAt(data, at + 18, 2));
    }
    if ((protocol === 1 || protocol === 58) && left >= 2) {
      this.#add(`icmpTypeIPv${version}`, data[at]);
      this.#add(`icmpCodeIPv${version}`, data[at + 1]);
    }
  }

  #add(name: string, value: FieldValue): void {
    addElement(this.#elements, name, value);
  }
}

/** The bytes of the sample themselves (IANA 315). */
export function frameSection(data: Uint8Array, at: number, length: number): string {
  return hexOf(data, at, length);
}
