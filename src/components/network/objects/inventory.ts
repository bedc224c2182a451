import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../cluster/hash.js';
import { quote } from '../../../hosts/shell.js';
import { isMap, type ManifestObject, type ObjectName } from './objects.js';

/** ConfigMap that says which objects of a pod network Kubewright has applied. */
export const INVENTORY = 'kubewright-network';
export const INVENTORY_NAMESPACE = 'kube-system';

/** An object that was applied. */
export interface Applied extends ObjectName {
  /** It was there before it was applied for the first time, by somebody else: it is never deleted. */
  found?: true;
}

export interface Inventory {
  /** Of what was applied as a whole; empty while it is not, or not yet. */
  hash: string;
  objects: Applied[];
}

/** SHA-256 of all objects, in their order. */
export function hashOfObjects(objects: readonly ManifestObject[]): string {
  return createHash('sha256')
    .update(canonicalJson(objects.map(({ text }) => text)))
    .digest('hex');
}

/** Prints the inventory as JSON; nothing where there is none. */
export function inventoryQuestion(kubectl: string): string {
  return `${kubectl} -n ${INVENTORY_NAMESPACE} get configmap ${INVENTORY} --ignore-not-found -o json`;
}

/** Prints something where the inventory is of this plugin. */
export function traceOf(kubectl: string, plugin: string): string {
  const labels = `app.kubernetes.io/managed-by=kubewright,kubewright.dev/network=${plugin}`;
  return `${kubectl} -n ${INVENTORY_NAMESPACE} get configmap -l ${quote(labels)} -o name`;
}

/** @returns undefined for what cannot be understood */
export function parseInventory(json: string): Inventory | undefined {
  if (json === '') return { hash: '', objects: [] };
  try {
    const { data } = JSON.parse(json) as { data?: Record<string, string> };
    const objects: unknown = JSON.parse(data?.objects ?? '');
    if (!Array.isArray(objects) || !objects.every(isObjectName)) return undefined;
    return { hash: data?.hash ?? '', objects };
  } catch {
    return undefined;
  }
}

function isObjectName(value: unknown): value is Applied {
  return isMap(value) && ['apiVersion', 'kind', 'namespace', 'name'].every((key) => typeof value[key] === 'string');
}

/** The ConfigMap, as JSON for kubectl. */
export function renderInventory(plugin: string, { hash, objects }: Inventory): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: INVENTORY,
      namespace: INVENTORY_NAMESPACE,
      labels: { 'app.kubernetes.io/managed-by': 'kubewright', 'kubewright.dev/network': plugin },
    },
    data: { hash, objects: JSON.stringify(objects, null, 1) },
  });
}
