import type { Cluster, ClusterHost } from '../../cluster/types.js';
import { runsContainers } from '../../components/registry/plan.js';
import type { KernelFeature } from '../../components/types.js';
import { quote } from '../../hosts/shell.js';
import { featureTest, kernelFeaturesFor, MODULES_PATH, renderModules } from '../../render/modules.js';
import { HAS_READ_FILE, NETWORK_MANAGER_PATH, renderNetworkManager } from '../../render/network-manager.js';
import {
  OLD_SYSCTL_PATH,
  overriddenAtBoot,
  renderSysctls,
  SYSCTL_PATH,
  sameSysctl,
  sysctlFile,
  sysctlsFor,
} from '../../render/sysctl.js';
import { digestOf, type Facts } from '../remote-facts.js';
import { swapMustGo } from './checks/resources.js';
import { swapFacts } from './swap.js';

/** How a host's system has to be, as `prepareSystem` makes it and as a health check finds it again. */
export interface WantedSystem {
  cluster: Cluster;
  host: ClusterHost;
  features: KernelFeature[];
  modulesFile: string;
  sysctls: Map<string, string>;
  sysctlFile: string;
  swapOff: boolean;
  /** Whether pods run there, whose interfaces NetworkManager must leave alone. */
  hasPods: boolean;
}

/** What the file and the host's role ask of its system. Pure. */
export function wantedSystem(cluster: Cluster, host: ClusterHost): WantedSystem {
  const sysctls = sysctlsFor(cluster, host);
  const features = kernelFeaturesFor(host.role, cluster);
  return {
    cluster,
    host,
    features,
    modulesFile: renderModules(features),
    sysctls,
    sysctlFile: renderSysctls(sysctls),
    swapOff: swapMustGo(cluster, host),
    hasPods: runsContainers(cluster, host.role),
  };
}

const NETWORK_MANAGER = `${HAS_READ_FILE}fact network-manager systemctl is-active --quiet NetworkManager.service
fact network-manager-file digest ${NETWORK_MANAGER_PATH}
fact network-manager-read has_read_file
`;

/** Bash: the facts that the functions below, and `swapChanges`, read. */
export function systemQuestions(wanted: WantedSystem): string {
  const features = wanted.features.map(
    (feature) => `feature() { ${featureTest(feature)}; }\nfact feature-${feature.module} feature\n`,
  );
  const sysctls = [...wanted.sysctls.keys()].map((name) => `fact ${quote(name)} cat ${quote(sysctlFile(name))}\n`);
  return `fact modules digest ${MODULES_PATH}
fact sysctls digest ${SYSCTL_PATH}
fact old-sysctls test -e ${OLD_SYSCTL_PATH}
boot_sysctls() { { /usr/lib/systemd/systemd-sysctl --cat-config || /lib/systemd/systemd-sysctl --cat-config; } | grep -E '^(# /|[^#;])'; }
fact boot-sysctls boot_sysctls
${wanted.hasPods ? NETWORK_MANAGER : ''}${swapFacts()}${[...features, ...sysctls].join('')}`;
}

/** What is to be done so that the kernel has its modules, now and after a boot. */
export function moduleChanges(wanted: WantedSystem, facts: Facts): string[] {
  const missing = wanted.features.filter(({ module }) => !facts.holds(`feature-${module}`));
  return [
    ...missing.map(({ module }) => `load the kernel module ${module}`),
    ...(facts.text('modules') === digestOf(wanted.modulesFile) ? [] : [`write ${MODULES_PATH}`]),
  ];
}

/** What is to be done so that the kernel has its settings, now and after a boot. */
export function sysctlChanges(wanted: WantedSystem, facts: Facts): string[] {
  const changes: string[] = [];
  for (const [name, value] of wanted.sysctls) {
    const now = facts.text(name);
    if (!sameSysctl(now, value)) changes.push(`set ${name} from ${now || 'nothing'} to ${value}`);
  }
  if (facts.text('sysctls') !== digestOf(wanted.sysctlFile)) changes.push(`write ${SYSCTL_PATH}`);
  if (facts.holds('old-sysctls')) changes.push(`remove ${OLD_SYSCTL_PATH}, which an earlier version wrote`);
  for (const { name, value, file } of overriddenAtBoot(wanted.sysctls, facts.text('boot-sysctls'))) {
    changes.push(`take ${name} = ${value} out of ${file}, which every boot reads after ${SYSCTL_PATH}`);
  }
  return changes;
}

/** Nothing where NetworkManager does not run: a file of its configuration would be a riddle there. */
export function networkManagerChanges({ hasPods }: WantedSystem, facts: Facts): string[] {
  if (!hasPods || !facts.holds('network-manager')) return [];
  if (facts.text('network-manager-file') !== digestOf(renderNetworkManager())) {
    return [`write ${NETWORK_MANAGER_PATH}, so that NetworkManager leaves the pods' interfaces alone`];
  }
  return facts.holds('network-manager-read') ? [] : [`have NetworkManager read ${NETWORK_MANAGER_PATH}`];
}
