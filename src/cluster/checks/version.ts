import { MINORS, minorOf, PROVEN_VERSIONS } from '../minors.js';
import type { Report } from '../report.js';
import type { Sketch } from '../resolve/draft.js';
import type { Cluster } from '../types.js';
import type { Check } from './index.js';

const VERSION = ['spec', 'kubernetes', 'version'];

const KNOWN = `1.${MINORS.at(0)?.minor} to 1.${MINORS.at(-1)?.minor}`;

/** Minors that are known are taken; what no test of Kubewright installs, and what nobody mends any more, with a warning. */
export const checkVersion: Check = ({ kubernetes }, report) => {
  const { version } = kubernetes;
  if (version === undefined) return;
  const minor = minorOf(version);
  if (minor === undefined) {
    const isOld = Number(version.split('.')[1]) < (MINORS[0]?.minor ?? 0);
    report.error(VERSION, isOld ? 'version-too-old' : 'version-too-new', {
      message: isOld
        ? "its kubeadm hides a phase that the first control plane's start ends with, so no install would end"
        : 'it is newer than this Kubewright, which does not know what has changed; use a newer Kubewright',
      expected: KNOWN,
    });
    return;
  }
  if (!PROVEN_VERSIONS.includes(version)) {
    const cgroups = minor.takesCgroupV1
      ? ''
      : '; its kubelet refuses hosts with cgroup v1, unless kubernetes.kubelet.config has failCgroupV1: false and kubernetes.ignorePreflightErrors has SystemVerification';
    report.warn(VERSION, 'version-not-proven', {
      message: `not proven: no test of Kubewright installs this version${cgroups}`,
      expected: PROVEN_VERSIONS.join(' or '),
    });
  }
};

/**
 * Warns of a minor that nobody mends any more. It depends on the day, so it is no `Check`: the same file is judged the same
 * way by a worker a year later.
 *
 * @param today `YYYY-MM-DD` in UTC
 */
export function checkSupport({ kubernetes }: Sketch<Cluster>, report: Report, today: string): void {
  const minor = kubernetes.version === undefined ? undefined : minorOf(kubernetes.version);
  if (minor === undefined || today <= minor.supportedUntil) return;
  const supported = MINORS.filter(({ supportedUntil }) => today <= supportedUntil).map((each) => `1.${each.minor}`);
  report.warn(VERSION, 'version-out-of-support', {
    message: `nobody mends Kubernetes 1.${minor.minor} any more: its support ended on ${minor.supportedUntil}`,
    expected: supported.length > 0 ? supported.join(', ') : 'a newer Kubewright, which knows newer minors',
  });
}
