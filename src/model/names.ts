import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { StringTable } from '../core/string-table.ts';

/** The dictionaries that give batch columns their texts; one set a process, shared by all rooms. */
export class Names implements Stateful {
  /** Stacks of headers, from outside in, joined by a blank: `eth vlan:7 ipv4 gre ipv4 udp`. */
  readonly layers: StringTable;
  /** Domain names: DNS questions and TLS server names, lower case, no final dot. */
  readonly names: StringTable;
  /** Exporter addresses and source names. */
  readonly exporters: StringTable;

  /**
   * @param share how many threads give their names to one set: each has this part of the room, so that none holds an id
   * whose text has left that set
   */
  constructor(share = 1) {
    this.layers = new StringTable((1 << 16) / share);
    this.names = new StringTable((1 << 18) / share);
    this.exporters = new StringTable((1 << 16) / share);
  }

  save(out: StateWriter): void {
    for (const table of [this.layers, this.names, this.exporters]) table.save(out);
  }

  /** Ids mean what they meant. To be restored before whoever holds ids. */
  restore(state: StateReader): void {
    for (const table of [this.layers, this.names, this.exporters]) table.restore(state);
  }
}
