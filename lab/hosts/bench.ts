import { labUp } from './index.js';
import type { Lab } from './lab.js';
import { memoryUsage } from './status.js';

/** One measured value beside its goal; shaped as `bench/table.ts` prints it. */
export interface LabFigure {
  key: string;
  what: string;
  value: number;
  unit: string;
  goal: string;
}

/**
 * Measures a warm lab: the base image is made before the clock starts.
 *
 * @param name the lab's name; it is taken down again
 */
export async function benchLab(name = 'lab-bench'): Promise<LabFigure[]> {
  await (await labUp({ name, hosts: 1, replace: true })).down();
  const five = await timed(() => labUp({ name, hosts: 5 }));
  const memory = await idleMemory(five.value);
  const downFive = await timed(() => five.value.down());
  const eight = await timed(() => labUp({ name, hosts: 8 }));
  const downEight = await timed(() => eight.value.down());
  return [
    { key: 'lab-up-5', what: 'lab up, five hosts, SSH on all', value: five.seconds, unit: 's', goal: '≤ 15 s' },
    { key: 'lab-up-8', what: 'lab up, eight hosts, SSH on all', value: eight.seconds, unit: 's', goal: '≤ 25 s' },
    {
      key: 'lab-memory',
      what: 'idle host, page cache included (largest of five)',
      value: memory,
      unit: 'MiB',
      goal: '≤ 60 MiB',
    },
    { key: 'lab-down-5', what: 'lab down, five hosts', value: downFive.seconds, unit: 's', goal: '≤ 5 s' },
    { key: 'lab-down-8', what: 'lab down, eight hosts', value: downEight.seconds, unit: 's', goal: '' },
  ];
}

async function idleMemory(lab: Lab): Promise<number> {
  await Promise.all(lab.hosts.map((host) => host.exec('systemctl is-system-running --wait')));
  const bytes = await Promise.all(lab.hosts.map((host) => memoryUsage(lab.record.cgroups, host.name)));
  return Math.max(...bytes.map((value) => value ?? 0)) / 2 ** 20;
}

async function timed<T>(action: () => Promise<T>): Promise<{ value: T; seconds: number }> {
  const begin = performance.now();
  const value = await action();
  return { value, seconds: (performance.now() - begin) / 1000 };
}
