import { join } from 'node:path';
import type { Setting } from './contenders.ts';
import { measure } from './process.ts';

interface Line {
  stage?: string;
  rules?: string;
  cpuSeconds?: number;
  nanosecondsASlice?: number;
  ownNanoseconds?: number;
  slices?: number;
}

/** What each stage costs, in CPU time: every row is a run up to that stage, less the run before it. */
export async function stages({ root, capture, truth, folder }: Setting): Promise<void> {
  const script = async (name: string, ...args: string[]): Promise<Line[]> => {
    const { output } = await measure({
      file: process.execPath,
      args: [join(root, 'test/perf', name), capture, ...args],
      cwd: root,
    });
    return output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line);
  };
  const replay = (...args: string[]) =>
    measure({
      file: process.execPath,
      args: [join(root, 'src/main.ts'), 'replay', capture, '--json', ...args],
      cwd: root,
    });
  const upTo = await script('meter.ts', '3');
  const cpu = (stage: string): number => upTo.find((line) => line.stage === stage)?.cpuSeconds ?? Number.NaN;
  const [windows] = await script('window.ts', '3');
  const slices = windows.slices ?? 0;
  const windowCpu = ((windows.nanosecondsASlice ?? 0) * slices) / 1e9;
  const whole = (await replay()).cpu;
  const stored = (await replay('--store', join(folder, 'store'))).cpu;
  const rows: [string, number][] = [
    ['read', cpu('read')],
    ['decode', cpu('decode') - cpu('read')],
    ['meter, records', cpu('records') - cpu('decode')],
    ['slices', cpu('slices') - cpu('records')],
    [`windows, ${windows.rules}`, windowCpu],
    ['detection, alerts, loads, start of the process', whole - cpu('slices') - windowCpu],
    ['store', stored - whole],
  ];
  console.log('| stage | CPU s | ns a packet | share |\n|---|---|---|---|');
  for (const [name, seconds] of rows) {
    const share = `${((100 * seconds) / stored).toFixed(0)} %`;
    console.log(`| ${name} | ${seconds.toFixed(2)} | ${((seconds * 1e9) / truth.packets).toFixed(0)} | ${share} |`);
  }
  const { nanosecondsASlice: all, ownNanoseconds: own } = windows;
  const share = Math.round((100 * windowCpu) / stored);
  console.log(
    `\nwindows: ${slices} slices, ${all} ns a slice (${own} on the stage's own thread, the rest are the compiler and the collector), ${share} % of the CPU. A rule by itself, ns a slice:`,
  );
  for (const { rules, nanosecondsASlice } of await script('window.ts', '1', 'each'))
    console.log(`  ${rules} ${nanosecondsASlice}`);
}
