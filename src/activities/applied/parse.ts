import { parseAllDocuments } from 'yaml';
import type { ExtraArg } from '../../cluster/types.js';
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
    extraArgs: {
      apiServer: extraArgsOf(at('apiServer', 'extraArgs')),
      controllerManager: extraArgsOf(at('controllerManager', 'extraArgs')),
      scheduler: extraArgsOf(at('scheduler', 'extraArgs')),
    },
    etcd:
      external === undefined
        ? { topology: 'stacked', extraArgs: extraArgsOf(at('etcd', 'local', 'extraArgs')) }
        : { topology: 'external', endpoints: listOf(external) },
  };
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
