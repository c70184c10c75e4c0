/** Room for one kind of thing that exporters have: so many each, and so many of all together. */
export class SharedRoom {
  readonly #each: number;
  readonly #all: number;
  #taken = 0;

  constructor(each: number, all: number) {
    this.#each = each;
    this.#all = all;
  }

  /**
   * Puts an entry into an exporter's map. Where there is no room its oldest leaves for it; an exporter's first entry always
   * has room. @returns what left
   */
  put<K, V>(map: Map<K, V>, key: K, value: V): [K, V] | undefined {
    const isNew = !map.has(key);
    const oldest = isNew && (map.size >= this.#each || (this.#taken >= this.#all && map.size > 0));
    const left = oldest ? this.#takeOldest(map) : undefined;
    if (isNew) this.#taken++;
    map.set(key, value);
    return left;
  }

  #takeOldest<K, V>(map: Map<K, V>): [K, V] {
    const [oldest] = map;
    map.delete(oldest[0]);
    this.#taken--;
    return oldest;
  }

  /** An exporter leaves with all its entries. */
  free(map: Map<unknown, unknown>): void {
    this.#taken -= map.size;
    map.clear();
  }
}

/** Rooms of all exporters: mutated datagrams must not make thousands of exporters with thousands of domains each. */
export class ExporterRooms {
  readonly domains = new SharedRoom(1024, 32_768);
  readonly sequences = new SharedRoom(4096, 65_536);
  readonly samplers = new SharedRoom(4096, 65_536);
  /** Interfaces, applications and VRFs. */
  readonly names = new SharedRoom(16_384, 262_144);
}
