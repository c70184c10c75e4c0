import { HOUR_US, normal, random } from './series.ts';

/** Series of many kinds, none of them the ones the model was built on; each from a seed. */
export interface Domain {
  name: string;
  stepUs: number;
  steps: number;
  /** True: no forecast can beat "the last value" or "the same time yesterday" by much. */
  plain?: boolean;
  /** True: the share by which forecasts are off says nothing, for that of outages outweighs all others. */
  outages?: boolean;
  make(seed: number): (i: number) => number;
}

const HOURS = 24 * 100;
const FIVES = 288 * 36;
const wave = (hours: number, period = 24) => Math.sin((2 * Math.PI * hours) / period);

/** Heavy tails: Student's t with three degrees of freedom, unit scale. */
function student(seed: number): () => number {
  const noise = normal(seed);
  return () => noise() / Math.sqrt((noise() ** 2 + noise() ** 2 + noise() ** 2) / 3);
}

function poisson(next: () => number, mean: number): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * (next() + next() + next() - 1.5) * 2));
  let n = 0;
  for (let p = next(); p > Math.exp(-mean); p *= next()) n++;
  return n;
}

function week(hours: number): number {
  const phase = (((hours - 120) % 168) + 168) % 168;
  // The weekend comes and goes over six hours.
  const weekend = Math.max(0, Math.min(1, phase / 6 + 0.5, (48 - phase) / 6 + 0.5));
  return (1 - 0.45 * weekend) * (1.6 + wave(hours - 8) + 0.3 * wave(hours, 12));
}

export const DOMAINS: Domain[] = [
  {
    name: 'link: trend, season, correlated noise with heavy tails',
    stepUs: HOUR_US,
    steps: HOURS,
    make: (seed) => {
      const noise = student(seed);
      let slow = 0;
      return (i) => {
        slow = 0.9 * slow + 0.03 * noise();
        return 1e8 * Math.exp(0.0002 * i) * week(i) * Math.exp(slow + 0.02 * noise());
      };
    },
  },
  {
    name: 'the same at five minutes',
    stepUs: 300e6,
    steps: FIVES,
    make: (seed) => {
      const noise = student(seed);
      let slow = 0;
      return (i) => {
        slow = 0.985 * slow + 0.012 * noise();
        return 1e8 * week(i / 12) * Math.exp(slow + 0.01 * noise());
      };
    },
  },
  {
    name: 'counts with zeros at night',
    stepUs: HOUR_US,
    steps: HOURS,
    make: (seed) => {
      const next = random(seed);
      return (i) => poisson(next, 12 * Math.max(0, week(i) - 0.5));
    },
  },
  {
    name: 'rare counts',
    stepUs: HOUR_US,
    steps: HOURS,
    plain: true,
    make: (seed) => {
      const next = random(seed);
      return (i) => poisson(next, 0.8 * week(i));
    },
  },
  {
    name: 'level shifts',
    stepUs: HOUR_US,
    steps: HOURS,
    make: (seed) => {
      const noise = normal(seed);
      const next = random(seed + 1);
      let level = 1;
      return (i) => {
        if (next() < 1 / 300) level *= Math.exp(0.4 * noise());
        return 1e6 * level * week(i) * Math.exp(0.05 * noise());
      };
    },
  },
  {
    name: 'additive season on a high level (power demand)',
    stepUs: HOUR_US,
    steps: HOURS,
    make: (seed) => {
      const noise = normal(seed);
      let slow = 0;
      return (i) => {
        slow = 0.97 * slow + 60 * noise();
        return 30_000 + 5000 * wave(i - 9) - (Math.floor(i / 24) % 7 >= 5 ? 4000 : 0) + slow + 80 * noise();
      };
    },
  },
  {
    name: 'no season: a random walk that returns',
    stepUs: 300e6,
    steps: FIVES,
    plain: true,
    make: (seed) => {
      const noise = normal(seed);
      let z = 0;
      return () => {
        z = 0.995 * z + 0.05 * noise();
        return 100 * Math.exp(z);
      };
    },
  },
  {
    name: 'variance that changes with the hour and in bursts',
    stepUs: 300e6,
    steps: FIVES,
    make: (seed) => {
      const noise = normal(seed);
      const next = random(seed + 9);
      let burst = 0;
      return (i) => {
        burst = next() < 0.002 ? 60 : burst - 1;
        const scale = (burst > 0 ? 0.15 : 0.03) * (1.3 + wave(i / 12));
        return 5e6 * week(i / 12) * Math.exp(scale * noise());
      };
    },
  },
  {
    name: 'on by day, silent by night',
    stepUs: HOUR_US,
    steps: HOURS,
    make: (seed) => {
      const noise = normal(seed);
      return (i) => (i % 24 >= 8 && i % 24 < 19 ? 1e5 * Math.exp(0.15 * noise()) : 0);
    },
  },
  {
    name: 'sharp edges each day',
    stepUs: 300e6,
    steps: FIVES,
    make: (seed) => {
      const noise = normal(seed);
      return (i) => 1e5 * (i % 288 >= 96 && i % 288 < 216 ? 5 : 1) * Math.exp(0.03 * noise());
    },
  },
  {
    name: 'local clock with a change of summer time',
    stepUs: HOUR_US,
    steps: HOURS,
    make: (seed) => {
      const noise = normal(seed);
      return (i) => 1e7 * week(i >= 24 * 80 ? i + 1 : i) * Math.exp(0.06 * noise());
    },
  },
  {
    name: 'days that are all higher or lower than others',
    stepUs: HOUR_US,
    steps: HOURS,
    make: (seed) => {
      const noise = normal(seed);
      let off = 0;
      return (i) => {
        if (i % 24 === 0) off = 0.5 * off + 0.15 * noise();
        return 1e9 * week(i) * Math.exp(off + 0.03 * noise());
      };
    },
  },
  {
    name: 'weather: departures that last a day and a half',
    stepUs: HOUR_US,
    steps: HOURS,
    make: (seed) => {
      const noise = normal(seed);
      const kept = Math.exp(-1 / 36);
      let off = 0;
      return (i) => {
        off = kept * off + Math.sqrt(1 - kept * kept) * 0.2 * noise();
        return 1e6 * week(i) * Math.exp(off + 0.02 * noise());
      };
    },
  },
  {
    name: 'quiet and loud times that take turns',
    stepUs: HOUR_US,
    steps: HOURS,
    make: (seed) => {
      const noise = normal(seed);
      const next = random(seed + 5);
      const kept = Math.exp(-1 / 6);
      let scale = 0.05;
      let off = 0;
      return (i) => {
        if (next() < 1 / (24 * 9)) scale = scale > 0.1 ? 0.05 : 0.2;
        off = kept * off + Math.sqrt(1 - kept * kept) * scale * noise();
        return 3e8 * week(i) * Math.exp(off + 0.3 * scale * noise());
      };
    },
  },
  {
    name: 'backups at night that take one to three hours',
    stepUs: HOUR_US,
    steps: HOURS,
    make: (seed) => {
      const noise = normal(seed);
      const next = random(seed + 3);
      let left = 0;
      return (i) => {
        if (i % 24 === 2) left = Math.round(1 + 2 * next());
        left--;
        return 1e7 * (week(i) + (left >= 0 ? 6 * Math.exp(0.3 * noise()) : 0)) * Math.exp(0.08 * noise());
      };
    },
  },
  {
    name: 'outages of hours',
    stepUs: HOUR_US,
    steps: HOURS,
    outages: true,
    make: (seed) => {
      const noise = normal(seed);
      const next = random(seed + 2);
      let left = 0;
      return (i) => {
        if (left <= 0 && next() < 1 / (24 * 8)) left = Math.round(1 + 4 * next());
        left--;
        return (left >= 0 ? 0.02 : 1) * 5e8 * week(i) * Math.exp(0.06 * noise());
      };
    },
  },
  {
    name: 'a season that begins earlier or later each day',
    stepUs: HOUR_US,
    steps: HOURS,
    make: (seed) => {
      const noise = normal(seed);
      let shift = 0;
      return (i) => {
        if (i % 24 === 0) shift = 0.7 * noise();
        return 5e5 * week(i + shift) * Math.exp(0.04 * noise());
      };
    },
  },
];
