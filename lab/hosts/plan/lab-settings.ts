import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Document, isMap, isScalar } from 'yaml';
import { DEFAULTS } from '../../../src/cluster/defaults.js';
import { knownMinorOf } from '../../../src/cluster/minors.js';
import type { LabRecord } from '../types.js';

/** One line of cluster.yaml that a lab needs and machines do not. */
export interface LabSetting {
  /** Below `spec`. */
  path: string[];
  value: unknown;
  why: string;
}

/** What decides which settings are needed; read from the machine unless a test says otherwise. */
export interface SettingFacts {
  cgroupVersion1: boolean;
  /** A host can read how its kernel was built. */
  kernelConfig: boolean;
  /** A process may lower its oom_score_adj: CAP_SYS_RESOURCE is in this machine's bounding set. */
  sysResource: boolean;
}

/** Number of CAP_SYS_RESOURCE in linux/capability.h. */
const CAP_SYS_RESOURCE = 24n;

/** Only the settings that this machine and this Kubernetes version need. */
export async function labSettings(lab: LabRecord): Promise<LabSetting[]> {
  // Guests are machines: they need nothing of it.
  if (lab.plan.hosts.every(({ role, guest }) => role === 'bastion' || guest)) return [];
  const status = await readFile('/proc/self/status', 'utf8');
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return settingsFor(lab.plan.kubernetes, {
    cgroupVersion1: !lab.cgroups.unified,
    kernelConfig: existsSync('/proc/config.gz'),
    sysResource: ((bounding >> CAP_SYS_RESOURCE) & 1n) === 1n,
  });
}

/** @param kubernetes version, such as `1.35.4`; undefined: the default of cluster.yaml */
export function settingsFor(kubernetes: string | undefined, facts: SettingFacts): LabSetting[] {
  const minor = knownMinorOf(kubernetes ?? DEFAULTS.kubernetes.version);
  const refusesCgroup1 = facts.cgroupVersion1 && !minor.takesCgroupV1;
  const settings: (LabSetting | false)[] = [
    (refusesCgroup1 || !facts.kernelConfig) && {
      path: ['kubernetes', 'ignorePreflightErrors'],
      value: ['SystemVerification'],
      why: refusesCgroup1
        ? ' Lab: this machine has cgroup version 1, an error from Kubernetes 1.35 on.'
        : ' Lab: hosts cannot read how the machine built its kernel.',
    },
    refusesCgroup1 && {
      path: ['kubernetes', 'kubelet', 'config', 'failCgroupV1'],
      value: false,
      why: ' Lab: the same for the kubelet itself.',
    },
    {
      path: ['kubernetes', 'kubeProxy', 'config', 'conntrack'],
      value: { maxPerCore: 0, min: 0 },
      why: " Lab: the connection table's size is the machine's; 0 leaves it alone.",
    },
    !facts.sysResource && {
      path: ['runtime', 'config', 'plugins', 'io.containerd.grpc.v1.cri', 'restrict_oom_score_adj'],
      value: true,
      why: ' Lab: this machine lets no process protect itself from the out-of-memory killer.',
    },
  ];
  return settings.filter((setting) => setting !== false);
}

/** Adds the settings to a cluster.yaml, each below its reason; what the user has set himself stays. */
export function applySettings(document: Document, settings: LabSetting[]): void {
  for (const { path, value, why } of settings) {
    const full = ['spec', ...path];
    if (document.hasIn(full)) continue;
    document.setIn(full, document.createNode(value));
    const parent = document.getIn(full.slice(0, -1), true);
    const pair = isMap(parent) ? parent.items.find(({ key }) => nameOf(key) === path.at(-1)) : undefined;
    if (!pair) continue;
    if (!isScalar(pair.key)) pair.key = document.createNode(pair.key);
    if (isScalar(pair.key)) pair.key.commentBefore = why;
  }
}

function nameOf(key: unknown): unknown {
  return isScalar(key) ? key.value : key;
}
