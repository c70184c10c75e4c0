import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import { communityId } from '../../src/model/community-id.ts';

function id(protocol: number, source: string, destination: string, a: number | null, b: number | null): string {
  const words = new Int32Array(8);
  parseAddress(source, words, 0);
  parseAddress(destination, words, 4);
  return communityId(protocol, words, 0, words, 4, a ?? 0, b ?? 0, a !== null);
}

const A6 = 'fe80:0001:0203:0405:0607:0809:0A0B:0C0D';
const B6 = 'fe80:1011:1213:1415:1617:1819:1A1B:1C1D';

/** The table of default settings in community-id-spec's baseline/README.md. */
const SPEC: [number, string, string, number | null, number | null, string][] = [
  [6, '1.2.3.4', '5.6.7.8', 1122, 3344, '1:wCb3OG7yAFWelaUydu0D+125CLM='],
  [6, '5.6.7.8', '1.2.3.4', 3344, 1122, '1:wCb3OG7yAFWelaUydu0D+125CLM='],
  [17, '1.2.3.4', '5.6.7.8', 1122, 3344, '1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg='],
  [132, '5.6.7.8', '1.2.3.4', 3344, 1122, '1:EKt4MsxuyaE6mL+hmrEkQ9csDD8='],
  [1, '1.2.3.4', '5.6.7.8', 8, 0, '1:crodRHL2FEsHjbv3UkRrfbs4bZ0='],
  [1, '5.6.7.8', '1.2.3.4', 0, 0, '1:crodRHL2FEsHjbv3UkRrfbs4bZ0='],
  [1, '1.2.3.4', '5.6.7.8', 11, 0, '1:f/YiSyWqczrTgfUCZlBUnvHRcPk='],
  [58, A6, B6, 128, 0, '1:0bf7hyMJUwt3fMED7z8LIfRpBeo='],
  [58, B6, A6, 129, 0, '1:0bf7hyMJUwt3fMED7z8LIfRpBeo='],
  [58, A6, B6, 146, 0, '1:fYC8+pz24E+EhANP1EZhpX0Dw10='],
  [46, '1.2.3.4', '5.6.7.8', null, null, '1:ikv3kmf89luf73WPz1jOs49S768='],
  [46, '5.6.7.8', '1.2.3.4', null, null, '1:ikv3kmf89luf73WPz1jOs49S768='],
  [46, B6, A6, null, null, '1:wQ/2mwrnXP4lmJcHdGL5ePjR+e0='],
];

const BASELINE = '../shared/data/community-id-spec/baseline/baseline_deflt.json';

describe('community id', () => {
  it.each(SPEC)(
    'agrees with the specification: protocol %i, %s to %s, %s, %s',
    (protocol, source, destination, a, b, expected) => {
      expect(id(protocol, source, destination, a, b)).toBe(expected);
    },
  );

  it.skipIf(!existsSync(BASELINE))(
    'agrees with the baseline of the specification (skipped without ../shared/data)',
    () => {
      const cases: {
        proto: number;
        saddr: string;
        daddr: string;
        sport?: number;
        dport?: number;
        communityid: string;
      }[] = JSON.parse(readFileSync(BASELINE, 'utf8'));
      expect(cases.length).toBeGreaterThan(20);
      for (const one of cases) {
        // The baseline writes "no ports" as null.
        expect(id(one.proto, one.saddr, one.daddr, one.sport ?? null, one.dport ?? null)).toBe(one.communityid);
      }
    },
  );
});
