// Which of the expensive lab files a run of `npm test` leaves out. All of them together take longer than a change should
// wait for, so they take turns: four commits in a row run each of them once. `npm run test:all` runs everything.
import { execFileSync } from 'node:child_process';
import { ROOT } from './setup.mjs';

/** Files below test/lab that install whole clusters, in groups of at most twenty minutes (docs/benchmarks.md has their times). */
export const TURNS = [
  ['install-external-etcd', 'canary', 'teams'],
  ['chaos'],
  ['living-cluster', 'ui'],
  ['coming-back', 'install-stacked'],
];

/**
 * @param commits how many commits HEAD has, or undefined where that is not known: then nothing is left out
 * @returns files that this run leaves out, below the project's root
 */
export function leftOut(commits) {
  if (commits === undefined) return [];
  const turn = commits % TURNS.length;
  return TURNS.filter((_, index) => index !== turn)
    .flat()
    .map((name) => `test/lab/${name}.test.ts`);
}

/** How many commits HEAD has; undefined without git, or in a clone that lacks some. */
export function commitCount() {
  const git = (...args) =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    if (git('rev-parse', '--is-shallow-repository').trim() !== 'false') return undefined;
    return Number(git('rev-list', '--count', 'HEAD'));
  } catch {
    return undefined;
  }
}
