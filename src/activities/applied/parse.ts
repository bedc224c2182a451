import { parseAllDocuments } from 'yaml';
import type { ExtraArg, HostPathVolume } from '../../cluster/types.js';
import type { AppliedConfig, Settings } from './types.js';

/** One document of a YAML stream by its kind, without its header; undefined when there is none, or it cannot be read. */
export function documentOf(text: string, kind: string): Settings | undefined {
  for (const document of parseAllDocuments(text)) {
    if (document.errors.length > 0) continue;
    const value: unknown = document.toJS();
    if (isMap(value) && value.kind === kind) return settings(value);
  }
  return undefined;
}

/** A document of whatever kind, without its header; undefined when it is no map. */
export function settingsOf(text: string): Settings | undefined {
  const [document] = parseAllDocuments(text);
  if (document === undefined || document.errors.length > 0) return undefined;
  const value: unknown = document.toJS();
  return isMap(value) ? settings(value) : undefined;
}

function settings({ apiVersion: _, kind: __, ...rest }: Settings): Settings {
  return rest;
}

/** kubeadm's list of flags; before v1beta4 it was a map. */
export function extraArgsOf(value: unknown): ExtraArg[] {
  const pairs = Array.isArray(value)
    ? value.filter(isMap).map(({ name, value: text }) => [name, text])
    : Object.entries(isMap(value) ? value : {});
  return pairs.map(([name, text]) => ({ name: String(name), value: String(text ?? '') }));
}

/** Undefined when the text is no ClusterConfiguration: cut short, or of another making. */
export function parseConfig(text: string): AppliedConfig | undefined {
  const config = documentOf(text, 'ClusterConfiguration');
  if (config === undefined || typeof config.kubernetesVersion !== 'string') return undefined;
  const at = (...path: string[]): unknown => path.reduce<unknown>((value, key) => mapOf(value)[key], config);
  const word = (...path: string[]): string => String(at(...path) ?? '');
  const external = at('etcd', 'external', 'endpoints');
  return {
    name: word('clusterName'),
    version: config.kubernetesVersion.replace(/^v/, ''),
    endpoint: word('controlPlaneEndpoint'),
    podSubnet: word('networking', 'podSubnet'),
    serviceSubnet: word('networking', 'serviceSubnet'),
    dnsDomain: word('networking', 'dnsDomain'),
    certificateSANs: listOf(at('apiServer', 'certSANs')),
    withoutKubeProxy: at('proxy', 'disabled') === true,
    extraArgs: {
      apiServer: extraArgsOf(at('apiServer', 'extraArgs')),
      controllerManager: extraArgsOf(at('controllerManager', 'extraArgs')),
      scheduler: extraArgsOf(at('scheduler', 'extraArgs')),
    },
    extraVolumes: {
      apiServer: volumesIn(at('apiServer', 'extraVolumes')),
      controllerManager: volumesIn(at('controllerManager', 'extraVolumes')),
      scheduler: volumesIn(at('scheduler', 'extraVolumes')),
    },
    certificates: {
      ...given('algorithm', config.encryptionAlgorithm),
      ...given('validityDays', daysIn(config.certificateValidityPeriod)),
      ...given('caValidityDays', daysIn(config.caCertificateValidityPeriod)),
    },
    etcd:
      external === undefined
        ? { topology: 'stacked', extraArgs: extraArgsOf(at('etcd', 'local', 'extraArgs')) }
        : { topology: 'external', endpoints: listOf(external) },
  };
}

function given<K extends string>(key: K, value: unknown): { [Key in K]?: string } {
  return typeof value === 'string' ? ({ [key]: value } as { [Key in K]: string }) : {};
}

/** `8760h0m0s` in days, where they are whole ones; else as it stands there. */
function daysIn(duration: unknown): unknown {
  const hours = typeof duration === 'string' ? /^(\d+)h(0m)?(0s)?$/.exec(duration)?.[1] : undefined;
  return hours !== undefined && Number(hours) % 24 === 0 ? String(Number(hours) / 24) : duration;
}

/** kubeadm leaves out what is empty or false. */
function volumesIn(value: unknown): HostPathVolume[] {
  return (Array.isArray(value) ? value : []).filter(isMap).map((volume) => ({
    name: String(volume.name ?? ''),
    hostPath: String(volume.hostPath ?? ''),
    mountPath: String(volume.mountPath ?? ''),
    readOnly: volume.readOnly === true,
    pathType: typeof volume.pathType === 'string' && volume.pathType !== '' ? volume.pathType : null,
  }));
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function mapOf(value: unknown): Settings {
  return isMap(value) ? value : {};
}

export function isMap(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
