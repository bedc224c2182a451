// Which of the expensive lab files a run of `npm test` leaves out. All of them together take longer than a change should
// wait for, so they take turns: eight commits in a row run each of them once. `npm run test:all` runs everything.
import { execFileSync } from 'node:child_process';
import { ROOT } from './setup.mjs';

/** Files below test/lab that install whole clusters, in groups of at most twenty minutes (docs/benchmarks.md has their times). */
export const TURNS = [
  ['install-external-etcd', 'canary', 'teams', 'install-1.36'],
  ['chaos', 'install-guests', 'install-repository'],
  ['living-cluster', 'ui', 'install-1.34', 'install-external-load-balancer'],
  ['coming-back', 'install-stacked', 'install-1.35'],
  ['install-static-pods', 'install-etcd-systemd', 'install-networks', 'install-kube-proxy', 'server-service'],
  ['install-sizes', 'install-notify', 'install-hardened', 'reset-host'],
  ['install-lvs', 'install-registry', 'install-mixed', 'install-etcd-hosts'],
  ['drill', 'reset'],
];

/** Files that install another Kubernetes than the default one, and which. */
export const OTHER_VERSIONS = { 'install-1.34': '1.34.3', 'install-1.35': '1.35.4', 'install-1.36': '1.36.3' };

/** @param files that a run leaves out @returns Kubernetes versions beside the default one whose bundles it needs */
export function otherVersions(files) {
  return Object.entries(OTHER_VERSIONS)
    .filter(([name]) => !files.includes(fileOf(name)))
    .map(([, version]) => version);
}

/** The file that installs on hosts of two architectures. A turn on a cold cache leaves it out: it would not fit. */
export const TWO_ARCHITECTURES = 'install-mixed';

/** @param files that a run leaves out @returns whether it needs the bundle of the other architecture, too */
export function needsOtherArchitecture(files) {
  return !files.includes(fileOf(TWO_ARCHITECTURES));
}

export function fileOf(name) {
  return `test/lab/${name}.test.ts`;
}

/** Files below test/lab that `npm run test:all` alone runs: one that is long, and holds what the others hold by other means. */
export const ONLY_IN_ALL = ['conformance'];

/**
 * @param commits how many commits HEAD has, or undefined where that is not known: then nobody takes turns
 * @returns files that this run leaves out, below the project's root
 */
export function leftOut(commits) {
  const waiting = commits === undefined ? [] : TURNS.filter((_, index) => index !== commits % TURNS.length).flat();
  return [...waiting, ...ONLY_IN_ALL].map(fileOf);
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
