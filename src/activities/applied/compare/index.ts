import type { Cluster } from '../../../cluster/types.js';
import { type Comparison, difference, type Found, merged, type Verdict } from '../difference.js';
import type { Applied } from '../types.js';
import { compareChoices } from './choices.js';
import { compareConfig } from './config.js';
import { compareHosts } from './hosts.js';
import { compareOnHosts } from './on-hosts.js';
import { compareRecord } from './record.js';
import { compareSettings } from './settings.js';

/** What one part of the comparison comes to. */
export interface Part {
  found: Found[];
  /** What it could not compare, one line each. */
  unchecked: string[];
}

export type Compare = (cluster: Cluster, applied: Applied) => Part;

const PARTS: Compare[] = [compareConfig, compareChoices, compareSettings, compareHosts, compareOnHosts, compareRecord];

/**
 * Compares what cluster.yaml wants with what the living cluster has. Pure: the same two give the same list, and a file that
 * the cluster was made from gives an empty one.
 */
export function compareCluster(cluster: Cluster, applied: Applied): Comparison {
  const parts = PARTS.map((compare) => compare(cluster, applied));
  const differences = merged(parts.flatMap(({ found }) => found))
    .map((found) => difference(found, cluster.places))
    .map((one) => {
      // An init that was cut off goes through its phases again, with the file as it is now.
      const repeated = !applied.finished && one.verdict === 'refused' && one.later === 'reconfigure';
      return repeated ? { ...one, verdict: 'install' as Verdict, later: null } : one;
    });
  return { differences, unchecked: parts.flatMap(({ unchecked }) => unchecked) };
}
