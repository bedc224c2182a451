import { type KeyChanges, refused } from '../../cluster/key-change.js';
import type { ExtraArg } from '../../cluster/types.js';

/** What every topology of etcd has in `spec.etcd`, resolved. */
export interface EtcdCommonSettings {
  extraArgs: ExtraArg[];
}

export const CHANGES: KeyChanges = { 'spec.etcd.extraArgs': refused('reconfigure') };
