import { heldByAnother, holderOf, isLiving, runOf, timesOf, UNREADABLE_LEASE } from '../../lease/lease.js';
import type { Checked } from './index.js';
import type { Problem } from './problem.js';

/**
 * Whether another run is changing the host: one of another Temporal server, for within one Temporal sees to it. Told before
 * the first change; each step that changes something takes the host itself.
 */
export function checkLease({ facts: { lease }, writer }: Checked): Problem[] {
  if (lease === undefined) return [];
  if (lease === 'unreadable') return [{ code: 'KW594', ...UNREADABLE_LEASE }];
  if (lease.state === 'released' || (writer !== undefined && lease.holder === holderOf(writer))) return [];
  if (!isLiving(lease)) {
    const what = `${runOf(lease)} was changing it and has not ended, but did nothing for so long that the host is free`;
    const hint = 'Should it go on, its steps are refused. End it with `kubewright abort` there.';
    return [{ code: 'KW590', what, hint, severity: 'warning' }];
  }
  if (writer !== undefined) return [{ code: 'KW590', ...heldByAnother(lease) }];
  const hint = 'An install from another Temporal server is refused meanwhile.';
  return [{ code: 'KW590', what: `${runOf(lease)} is changing it, ${timesOf(lease)}`, hint, severity: 'warning' }];
}
