import { knownMinorOf } from '../../../cluster/minors.js';
import { isOutside } from '../../../cluster/roles.js';
import { compareVersions } from '../../../compare-versions.js';
import { kernelFeaturesFor } from '../../../render/modules.js';
import { ignores } from './ignores.js';
import type { Checked } from './index.js';
import { listed, type Problem } from './problem.js';

/** What the kernel can do, and what the host lets it do. */
export function checkKernel(checked: Checked): Problem[] {
  return [
    ...checkAge(checked),
    ...checkFeatures(checked),
    ...checkBlocked(checked),
    ...checkCgroups(checked),
    ...checkSettings(checked),
  ];
}

/** The oldest kernel that kubeadm of every minor here calls supported (system-validators v1.12.1, types_unix.go). */
const OLDEST_KERNEL = '5.4';

function checkAge({ facts, host, cluster }: Checked): Problem[] {
  const release = /^\d+\.\d+/.exec(facts.kernel.release)?.[0];
  if (release === undefined) return [];
  const features = kernelFeaturesFor(host.role, cluster);
  const ofKubernetes = `Kubernetes ${cluster.kubernetes.version} is supported from ${OLDEST_KERNEL} on`;
  const needs = [
    ...(isOutside(host.role) ? [] : [{ since: OLDEST_KERNEL, what: ofKubernetes }]),
    ...features.flatMap(({ since, purpose }) => (since ? [{ since, what: `${purpose} needs ${since}` }] : [])),
  ];
  const unmet = needs.filter(({ since }) => compareVersions(release, since) < 0);
  if (unmet.length === 0) return [];
  return [
    {
      code: 'KW341',
      what: `its kernel is ${facts.kernel.release}, and ${listed(unmet.map(({ what }) => what))}`,
      hint: 'Boot a newer kernel of the distribution, or use a newer release of it. Where a vendor has taken what is needed into an older one, preflight.ignore of cluster.yaml takes the code.',
    },
  ];
}

function checkFeatures({ facts, host, cluster }: Checked): Problem[] {
  const missing = kernelFeaturesFor(host.role, cluster).filter(({ module }) => !facts.features.has(module));
  if (missing.length === 0) return [];
  const names = listed(missing.map(({ module, purpose }) => `${module} (${purpose})`));
  return [
    {
      code: 'KW307',
      what: `its kernel ${facts.kernel.release} has no ${names}, built in or as a module`,
      hint: "After a kernel update, reboot first. Else boot a kernel that has them: a distribution's stock kernel does; some cloud and Raspberry Pi kernels have them in a package of their own (linux-modules-extra).",
    },
  ];
}

/** systemd-modules-load obeys `blacklist` as well, which `modprobe NAME` does not: it works until the next boot. */
function checkBlocked({ facts, host, cluster }: Checked): Problem[] {
  const needed = new Set(kernelFeaturesFor(host.role, cluster).map(({ module }) => module));
  const blocked = facts.blockedModules.filter(({ module }) => needed.has(module));
  if (blocked.length === 0) return [];
  return [
    {
      code: 'KW329',
      what: `its modprobe configuration keeps ${listed(blocked.map(({ module, rule }) => `${module} ("${rule}")`))} from being loaded`,
      hint: 'Take these lines out of /etc/modprobe.d (`grep -r MODULE /etc/modprobe.d /usr/lib/modprobe.d` finds them).',
    },
  ];
}

function checkCgroups({ facts, host, cluster }: Checked): Problem[] {
  if (isOutside(host.role)) return [];
  const problems: Problem[] = [];
  const needed = ['cpu', 'cpuset', 'memory', 'pids'].filter((name) => !facts.cgroupControllers.includes(name));
  if (needed.length > 0) {
    const what = `its kernel does not offer the cgroup controllers ${listed(needed)}`;
    const hint = "Switch them on at the kernel's command line (for example `cgroup_enable=memory`), then reboot.";
    problems.push({ code: 'KW308', what, hint });
  }
  if (facts.cgroupVersion === 1 && !cgroupV1Allowed(cluster)) {
    const what = `it uses cgroup v1, which Kubernetes ${cluster.kubernetes.version} refuses`;
    const hint =
      'Boot with cgroup v2 (`systemd.unified_cgroup_hierarchy=1`). To stay on v1 set kubernetes.kubelet.config.failCgroupV1: false and add SystemVerification to kubernetes.ignorePreflightErrors.';
    problems.push({ code: 'KW308', what, hint });
  }
  return problems;
}

function cgroupV1Allowed({ kubernetes }: Checked['cluster']): boolean {
  if (knownMinorOf(kubernetes.version).takesCgroupV1) return true;
  return kubernetes.kubelet.config.failCgroupV1 === false && ignores(kubernetes, 'SystemVerification');
}

function checkSettings({ facts }: Checked): Problem[] {
  if (facts.sysctlsWritable) return [];
  const what = 'its kernel settings cannot be changed: /proc/sys is read-only';
  const hint = `Mount it writable${facts.container ? `; this host is a ${facts.container} container, whose host decides` : ''}.`;
  return [{ code: 'KW309', what, hint }];
}
