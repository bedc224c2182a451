import { checksOfChoices } from '../../components/registry/schema.js';
import { checkHealthNotify } from '../health/checks.js';
import type { Report } from '../report.js';
import type { Sketch } from '../resolve/draft.js';
import type { Cluster } from '../types.js';
import { checkBalancerKeys } from './balancer-keys.js';
import { checkEdges, checkEndpoint } from './endpoint.js';
import { checkHosts } from './hosts.js';
import { checkKubeProxy } from './kube-proxy.js';
import { checkLabels } from './labels.js';
import { checkNetworkRelease } from './network-release.js';
import { checkNetworks } from './networks.js';
import { checkPorts } from './ports.js';
import { checkPreflight } from './preflight.js';
import { checkRegistry } from './registry.js';
import { checkComponentConfig } from './settings/config.js';
import { checkFiles } from './settings/files.js';
import { checkExtraArgs } from './settings/flags.js';
import { checkNeeds } from './settings/needs.js';
import { checkSecrets } from './settings/secrets.js';
import { checkSecurity } from './settings/security.js';
import { checkSysctls } from './settings/sysctls.js';
import { checkSsh } from './ssh.js';
import { checkTopology } from './topology.js';
import { checkVersion } from './version.js';

/**
 * A rule between keys, which a schema cannot say. Anything in the cluster may be undefined: it was wrong in the file and is
 * reported already.
 */
export type Check = (cluster: Sketch<Cluster>, report: Report) => void;

const CHECKS: Check[] = [
  checkVersion,
  checkHosts,
  checkTopology,
  checkBalancerKeys,
  checkEndpoint,
  checkEdges,
  checkNetworks,
  checkNetworkRelease,
  checkKubeProxy,
  checkPorts,
  checkExtraArgs,
  checkComponentConfig,
  checkFiles,
  checkNeeds,
  checkSecurity,
  checkLabels,
  checkPreflight,
  checkHealthNotify,
  checkRegistry,
  checkSysctls,
  checkSsh,
  checkSecrets,
];

/** Runs every rule, whatever the others found. */
export function runChecks(cluster: Sketch<Cluster>, report: Report): void {
  for (const check of [...CHECKS, ...checksOfChoices(cluster)]) check(cluster, report);
}
