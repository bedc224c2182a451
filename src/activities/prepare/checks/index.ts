import type { Bundle } from '../../../bundle/bundle.js';
import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import type { HostFacts } from '../facts/index.js';
import { checkOwnership, isOurs } from './ownership.js';
import { checkPorts } from './ports.js';
import type { Problem } from './problem.js';
import { checkDisks, checkMachine } from './resources.js';
import { checkIdentity, checkKernel, checkRuntimeConfig, checkSystem } from './system.js';

export { bySeverity, described, type Problem, preflightError } from './problem.js';

/** What a check judges: a host as it is, and what cluster.yaml makes of it. */
export interface Checked {
  cluster: Cluster;
  host: ClusterHost;
  facts: HostFacts;
}

/**
 * Everything about one host that would make an installation fail, all of it at once; pure.
 *
 * @param bundle what is going to be installed, or undefined when there is none (which is a problem of its own)
 */
export function problemsOf(checked: Checked, bundle: Bundle | undefined): Problem[] {
  return [
    ...checkSystem(checked),
    ...checkIdentity(checked),
    ...checkOwnership(checked),
    ...checkPorts(checked),
    ...checkKernel(checked),
    ...checkMachine(checked),
    ...(isOurs(checked) ? [] : checkDisks(checked, bundle)),
    ...checkRuntimeConfig(checked),
  ];
}
