import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScenarioReport } from '../../src/plan/drill-report.js';
import type { StepOutput } from '../../src/plan/run.js';
import { changed, type FakeActivities } from './fake-activities.js';

/** What a fake drill has broken, or has asking, as files: a worker that is killed leaves them as they are. */
export const brokenIn = (directory: string): boolean => existsSync(join(directory, 'broken'));
export const askingIn = (directory: string): boolean => existsSync(join(directory, 'asking'));

/** What is reported of the balancer's scenario. */
export const MEASURED: ScenarioReport = {
  scenario: 'balancer',
  victim: 'cp-1',
  prober: 'w-1',
  at: 1_764_000_000_000,
  gaps: [],
  times: { restored: 12_000, healthy: 20_000 },
};

/**
 * Steps of a drill of the balancer that leave what they do as files below a directory. What is done comes at the beginning of a
 * step, what is undone at its end: a worker that is killed in the middle leaves the most behind.
 *
 * @param within what goes on in the middle of a step, such as waiting to be killed
 */
export function fakeDrill(
  fakes: FakeActivities,
  directory: string,
  within: (step: string) => Promise<unknown> | undefined = () => undefined,
): void {
  const file = (name: string): string => join(directory, name);
  const on = (step: string, output: Partial<StepOutput>, how: { begin?: string; end?: string } = {}): void => {
    fakes.on(step, async ({ inputs }) => {
      if (how.begin !== undefined) writeFileSync(file(how.begin), JSON.stringify(inputs ?? {}));
      await within(step);
      if (how.end !== undefined) rmSync(file(how.end), { force: true });
      return { ...changed, ...output };
    });
  };
  on('cluster/preflight', { data: { healthy: true } });
  on('cluster/balancer-ask', { data: { victim: 'cp-1', prober: 'w-1' } }, { begin: 'asking' });
  on('cluster/balancer-break', { data: { broken: true } }, { begin: 'broken' });
  on('cluster/balancer-watch', { data: { watched: true } });
  on('cluster/balancer-restore', { data: { restored: true } }, { end: 'broken' });
  on('cluster/balancer-health', { data: { healthy: true } });
  on('cluster/balancer-report', { measured: MEASURED });
  on('cluster/balancer-end', {}, { end: 'asking' });
  on('cluster/release', {});
}

/** Ids of the steps of such a drill. */
export const STEPS = ['ask', 'break', 'watch', 'restore', 'health', 'report', 'end'].map(
  (verb) => `cluster/balancer-${verb}`,
);
