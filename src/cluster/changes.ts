import { COMPONENT_CHANGES } from '../components/registry/settings.js';
import { HEALTH_CHANGES } from './health/settings.js';
import {
  applied,
  by,
  type Change,
  fixed,
  type KeyChange,
  type KeyChanges,
  never,
  refused,
  section,
  used,
} from './key-change.js';
import { SECURITY_CHANGES } from './security/changes.js';

export type { Change, KeyChange, LaterOperation } from './key-change.js';

/**
 * Every key of the schema, as `spec.hosts[].address`. A key that starts with another one of this table and is of a free map
 * (labels, flags) goes by that one. A test holds it complete: who adds a key decides here what becomes of an edit.
 */
export const KEY_CHANGES: KeyChanges = {
  apiVersion: fixed,
  kind: fixed,
  metadata: section,
  'metadata.name': never,
  spec: section,
  'spec.endpoint': section,
  'spec.endpoint.vip': refused('reconfigure'),
  'spec.endpoint.port': refused('reconfigure'),
  'spec.endpoint.prefixLength': used,
  'spec.hosts': section,
  'spec.hosts[].name': never,
  'spec.hosts[].address': never,
  'spec.hosts[].role': refused('add and remove nodes'),
  'spec.hosts[].labels': applied,
  'spec.hosts[].taints': applied,
  'spec.hosts[].taints[].key': applied,
  'spec.hosts[].taints[].value': applied,
  'spec.hosts[].taints[].effect': applied,
  ...ssh('spec.hosts[].ssh', ['address']),
  'spec.kubernetes': section,
  'spec.kubernetes.version': refused('upgrade'),
  'spec.kubernetes.podSubnet': never,
  'spec.kubernetes.serviceSubnet': never,
  'spec.kubernetes.dnsDomain': never,
  'spec.kubernetes.certificateSANs': refused('reconfigure'),
  'spec.kubernetes.apiServer': section,
  'spec.kubernetes.apiServer.port': refused('reconfigure'),
  'spec.kubernetes.apiServer.extraArgs': refused('reconfigure'),
  ...volumes('spec.kubernetes.apiServer.extraVolumes'),
  'spec.kubernetes.controllerManager': section,
  'spec.kubernetes.controllerManager.extraArgs': refused('reconfigure'),
  ...volumes('spec.kubernetes.controllerManager.extraVolumes'),
  'spec.kubernetes.scheduler': section,
  'spec.kubernetes.scheduler.extraArgs': refused('reconfigure'),
  ...volumes('spec.kubernetes.scheduler.extraVolumes'),
  ...keysAs(refused('reconfigure'), 'spec.kubernetes.files', ['path', 'from', 'fromEnv']),
  'spec.kubernetes.kubelet': section,
  'spec.kubernetes.kubelet.config': refused('reconfigure'),
  'spec.kubernetes.kubelet.extraArgs': refused('reconfigure'),
  'spec.kubernetes.kubeProxy': section,
  'spec.kubernetes.kubeProxy.mode': refused('reconfigure'),
  'spec.kubernetes.kubeProxy.config': refused('reconfigure'),
  'spec.kubernetes.patchesDirectory': refused('reconfigure'),
  'spec.kubernetes.ignorePreflightErrors': used,
  ...COMPONENT_CHANGES,
  'spec.preflight': section,
  'spec.preflight.ignore': used,
  'spec.preflight.ignore[].code': used,
  'spec.preflight.ignore[].hosts': used,
  'spec.preflight.ignore[].reason': used,
  ...HEALTH_CHANGES,
  ...SECURITY_CHANGES,
  'spec.sysctls': by('system'),
  ...ssh('spec.ssh', []),
};

/** A list of maps, and the keys of each. */
function keysAs(change: KeyChange, list: string, keys: string[]): Record<string, KeyChange> {
  return Object.fromEntries([list, ...keys.map((key) => `${list}[].${key}`)].map((key) => [key, change]));
}

function volumes(list: string): Record<string, KeyChange> {
  return keysAs(refused('reconfigure'), list, ['name', 'hostPath', 'mountPath', 'readOnly', 'pathType']);
}

/** How a host is reached is no part of what runs on it. */
function ssh(prefix: string, more: string[]): Record<string, KeyChange> {
  const keyFiles = ['keyFile', 'keyFiles'];
  const bastion = ['address', 'port', 'user', ...keyFiles].map((key) => `bastion.${key}`);
  const own = [
    'user',
    'port',
    ...keyFiles,
    'agent',
    'client',
    'configFile',
    'knownHostsFile',
    'hostKeys',
    'bastion',
    ...bastion,
  ];
  const keys = [...more, ...own, 'sudoPasswordEnv'].map((key) => [`${prefix}.${key}`, used] as const);
  return Object.fromEntries([[prefix, section], ...keys]);
}

/** The class of a key, or of the nearest one that it is below of: `spec.kubernetes.kubelet.config.maxPods`. */
export function changeOf(key: string): KeyChange | undefined {
  const form = key.replace(/^spec\.hosts\[[^\]]*\]/, 'spec.hosts[]');
  return upwards(form)
    .map((one) => KEY_CHANGES[one])
    .find((known) => known !== undefined);
}

/** A key, and those that it is below of: `a.b["c.d"]`, `a.b["c`, `a.b`, `a`. */
export function upwards(key: string): string[] {
  const keys: string[] = [];
  for (let rest = key; rest !== ''; rest = rest.slice(0, Math.max(rest.lastIndexOf('.'), rest.lastIndexOf('['), 0))) {
    keys.push(rest);
  }
  return keys;
}

/** Keys that other steps compare on each host, and which ones. */
export function keysOfSteps(): { key: string; step: string }[] {
  return Object.entries(KEY_CHANGES).flatMap(([key, { step }]) => (step === undefined ? [] : [{ key, step }]));
}

/** What a reader of the reference is told of an edit. */
export const CHANGE_WORDS: Readonly<Record<Change, string>> = {
  applied: 'yes',
  used: 'next run',
  refused: 'refused',
  never: 'never',
  fixed: '',
  section: '',
};
