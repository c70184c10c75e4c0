import type { DigestData } from '../../src/notify/notify.ts';

export const DIGEST: DigestData = {
  title: 'Daily report',
  from: '2026-11-23T06:00:00.000000Z',
  until: '2026-11-24T06:00:00.000000Z',
  alerts: [
    { rule: 'syn-flood', title: 'TCP SYN flood', severity: 'critical', count: 3, active: 1, longest: '2h 5m' },
    { rule: 'port-scan', title: 'Scan of many hosts', severity: 'warning', count: 12, active: 0, longest: '14m' },
  ],
  talkers: [
    {
      title: 'Top senders',
      rows: [
        { name: '198.51.100.7', amount: '1.20 TB', share: 0.31 },
        { name: '2001:db8:85a3:1234:5678:8a2e:370:7334', amount: '410 GB', share: 0.11 },
      ],
    },
  ],
  totals: [
    { name: 'Traffic', value: '3.87 TB', change: '+12% on the day before' },
    { name: 'Peak', value: '2.41 Gbps at 20:15', change: null },
    { name: 'Flows', value: '18.2 M', change: '-3%' },
  ],
  forecasts: ['Uplink 1 reaches 90% of 10 Gbps on 2027-02-11 (2027-01-20 to 2027-03-30).'],
  drops: [
    { cause: 'late_row', count: 1204 },
    { cause: 'table_full', count: 3 },
  ],
};
