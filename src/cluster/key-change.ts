/**
 * What becomes of a key of `cluster.yaml` that is edited when the cluster is there already:
 * - `applied`: `install` carries it out
 * - `used`: it says how Kubewright does its work; the next run goes by it, and no host has to change
 * - `refused`: it could be changed on a living cluster, and this version of Kubewright cannot do it
 * - `never`: what was built on it cannot be built on anything else; it takes another cluster
 * - `fixed`: it has one value so far
 * - `section`: it only holds other keys
 */
export type Change = 'applied' | 'used' | 'refused' | 'never' | 'fixed' | 'section';

/** Operations that will change what is refused now. None of them exists yet. */
export type LaterOperation = 'upgrade' | 'reconfigure' | 'add and remove nodes';

export interface KeyChange {
  change: Change;
  /** `refused`: what will change it. */
  later?: LaterOperation;
  /** `applied`: the step that compares it on each host and carries it out, where `cluster/applied` does not look itself. */
  step?: string;
}

/** Keys as `spec.hosts[].address`, and what becomes of an edit. */
export type KeyChanges = Readonly<Record<string, KeyChange>>;

export const section: KeyChange = { change: 'section' };
export const used: KeyChange = { change: 'used' };
export const never: KeyChange = { change: 'never' };
export const fixed: KeyChange = { change: 'fixed' };
export const applied: KeyChange = { change: 'applied' };
export const by = (step: string): KeyChange => ({ change: 'applied', step });
export const refused = (later: LaterOperation): KeyChange => ({ change: 'refused', later });
