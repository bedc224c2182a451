import { labelKey, labelValue } from '../cluster/schema/forms.js';
import type { Taint } from '../cluster/types.js';
import type { FoundHost } from './draft.js';
import type { LeftOut } from './left-out.js';
import { isMap, listOf, mapOf, says, showValue, textOf } from './values.js';

/** The labels of a host that Kubernetes takes; others are told. */
export function labelsOf({ role, labels }: FoundHost, name: string, leftOut: LeftOut): Record<string, string> {
  if (!says(labels)) return {};
  if (role === 'etcd' || !isMap(labels)) {
    leftOut.add('labels', role === 'etcd' ? 'a host with etcd alone is no node' : 'they are no map', name);
    return {};
  }
  const taken = Object.entries(labels).flatMap(([key, value]): [string, string][] => {
    const text = textOf(value) ?? '';
    if (labelKey().safeParse(key).success && labelValue().safeParse(text).success) return [[key, text]];
    leftOut.add(`label ${key}`, 'Kubernetes takes no such label', name);
    return [];
  });
  return Object.fromEntries(taken);
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

/** What kubeadm taints control planes with by itself. */
const OWN_TAINT = /^node-role\.kubernetes\.io\/(master|control-plane)$/;

/** The taints of a host besides kubeadm's own; what is none is told. */
export function taintsOf({ role, taints }: FoundHost, name: string, leftOut: LeftOut): Taint[] {
  if (!says(taints)) return [];
  if (role === 'etcd' || !Array.isArray(taints)) {
    leftOut.add('taints', role === 'etcd' ? 'a host with etcd alone is no node' : 'they are no list', name);
    return [];
  }
  const taken = new Map<string, Taint>();
  for (const entry of listOf(taints)) {
    const taint = taintOf(entry);
    // A node has one taint of a key and effect.
    const id = `${taint?.key} ${taint?.effect}`;
    if (taint === undefined || taken.has(id)) {
      const why = taint === undefined ? 'Kubernetes takes no such taint' : 'it has one of this key and effect already';
      leftOut.add(`taint ${showValue(entry)}`, why, name);
    } else if (!OWN_TAINT.test(taint.key)) taken.set(id, taint);
  }
  return [...taken.values()];
}

function taintOf(entry: unknown): Taint | undefined {
  const [, ...parts] = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(textOf(entry) ?? '') ?? [];
  const { key = parts[0], value = parts[1] ?? '', effect = parts[2] } = mapOf(entry);
  const known = EFFECTS.find((each) => each === effect);
  const text = textOf(value) ?? '';
  const isRight = labelKey().safeParse(key).success && labelValue().safeParse(text).success;
  return isRight && known !== undefined ? { key: String(key), value: text, effect: known } : undefined;
}
