import { OLDEST_MINOR, PROVEN_VERSIONS } from '../defaults.js';
import type { Check } from './index.js';

const VERSION = ['spec', 'kubernetes', 'version'];

/** From 1.35 on the kubelet refuses cgroup v1 unless told otherwise (KEP-5573). */
const FIRST_WITHOUT_CGROUP_V1 = 35;

/** What kubeadm's v1beta4 speaks is taken; what no test of Kubewright installs is taken with a warning. */
export const checkVersion: Check = ({ kubernetes }, report) => {
  const { version } = kubernetes;
  if (version === undefined) return;
  const minor = Number(version.split('.')[1]);
  if (minor < OLDEST_MINOR) {
    report.error(VERSION, 'version-too-old', {
      message: "this version's kubeadm does not know the configuration v1beta4, which Kubewright writes",
      expected: `1.${OLDEST_MINOR}.0 or newer`,
    });
    return;
  }
  if (PROVEN_VERSIONS.includes(version)) return;
  const cgroups =
    minor >= FIRST_WITHOUT_CGROUP_V1
      ? '; its kubelet refuses hosts with cgroup v1, unless kubernetes.kubelet.config has failCgroupV1: false and kubernetes.ignorePreflightErrors has SystemVerification'
      : '';
  report.warn(VERSION, 'version-not-proven', {
    message: `not proven: no test of Kubewright installs this version${cgroups}`,
    expected: PROVEN_VERSIONS.join(' or '),
  });
};
