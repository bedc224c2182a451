import type { Cluster, ClusterHost } from '../../cluster/types.js';
import { runsContainers } from '../../components/registry/plan.js';
import type { KernelFeature } from '../../components/types.js';
import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import { featureTest, kernelFeaturesFor, MODULES_PATH, renderModules } from '../../render/modules.js';
import {
  HAS_READ_FILE,
  NETWORK_MANAGER_PATH,
  RELOAD_NETWORK_MANAGER,
  renderNetworkManager,
} from '../../render/network-manager.js';
import { OWNER_PATH, parseOwner } from '../../render/owner.js';
import {
  OLD_SYSCTL_PATH,
  overriddenAtBoot,
  renderSysctls,
  SYSCTL_PATH,
  sameSysctl,
  sysctlFile,
  sysctlsFor,
} from '../../render/sysctl.js';
import { digestOf, type Facts, gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';
import { swapMustGo } from './checks/resources.js';
import { claimHost, ownerOf, recordOwner } from './ownership.js';
import { swapChanges, swapFacts, switchSwapOff } from './swap.js';
import { hostOf } from './target.js';

/**
 * Makes a host ours and its kernel fit for a node: the ownership record first, then kernel modules (loaded only where the
 * kernel lacks what they are for), kernel settings (set only where they differ), swap, and NetworkManager's hands off the
 * pods' interfaces where it runs. Swap is switched off, now and in /etc/fstab with the original kept beside it, unless the
 * kubelet is configured with failSwapOn: false.
 */
export const prepareSystem: StepImplementation = {
  async probe(context) {
    const wanted = wantedOf(context);
    const present = await ask(context, wanted);
    const changes = changesOf(wanted, present);
    const kept = `ownership record, ${wanted.features.length} kernel features and ${wanted.sysctls.size} settings are in place`;
    return { done: changes.length === 0, found: changes.length === 0 ? kept : changes.join('; '), changes };
  },

  async apply(context) {
    const { cluster, host: remote } = context;
    const wanted = wantedOf(context);
    await claimHost(remote, cluster, wanted.host);
    await recordOwner(remote, cluster, wanted.host);
    await remote.writeFile(MODULES_PATH, wanted.modulesFile);
    await remote.writeFile(SYSCTL_PATH, wanted.sysctlFile);
    await remote.run(`rm -f ${OLD_SYSCTL_PATH}\n`, { signal: context.signal });
    await loadModules(context, wanted);
    await setSysctls(context, wanted);
    const present = await ask(context, wanted);
    refuseOverrides(context, wanted, present);
    if (networkManagerChanges(wanted, present).length > 0) await tellNetworkManager(context);
    if (wanted.swapOff && swapChanges(present).length > 0) await switchSwapOff(context);
  },
};

interface Wanted {
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

function wantedOf(context: StepContext): Wanted {
  const { cluster } = context;
  const host = hostOf(context);
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

async function ask({ host, signal }: StepContext, wanted: Wanted): Promise<Facts> {
  const features = wanted.features.map(
    (feature) => `feature() { ${featureTest(feature)}; }\nfact feature-${feature.module} feature\n`,
  );
  const sysctls = [...wanted.sysctls.keys()].map((name) => `fact ${quote(name)} cat ${quote(sysctlFile(name))}\n`);
  const script = `fact owner cat ${OWNER_PATH}
fact modules digest ${MODULES_PATH}
fact sysctls digest ${SYSCTL_PATH}
fact old-sysctls test -e ${OLD_SYSCTL_PATH}
boot_sysctls() { { /usr/lib/systemd/systemd-sysctl --cat-config || /lib/systemd/systemd-sysctl --cat-config; } | grep -E '^(# /|[^#;])'; }
fact boot-sysctls boot_sysctls
${wanted.hasPods ? NETWORK_MANAGER : ''}${swapFacts()}${[...features, ...sysctls].join('')}`;
  return gatherFacts(host, script, signal);
}

function changesOf(wanted: Wanted, facts: Facts): string[] {
  const changes: string[] = [];
  if (!bearsRecord(wanted, facts.text('owner'))) {
    changes.push(`write the ownership record ${OWNER_PATH} (cluster ${wanted.cluster.name})`);
  }
  for (const { module } of wanted.features) {
    if (!facts.holds(`feature-${module}`)) changes.push(`load the kernel module ${module}`);
  }
  if (facts.text('modules') !== digestOf(wanted.modulesFile)) changes.push(`write ${MODULES_PATH}`);
  for (const [name, value] of wanted.sysctls) {
    const now = facts.text(name);
    if (!sameSysctl(now, value)) changes.push(`set ${name} from ${now || 'nothing'} to ${value}`);
  }
  if (facts.text('sysctls') !== digestOf(wanted.sysctlFile)) changes.push(`write ${SYSCTL_PATH}`);
  if (facts.holds('old-sysctls')) changes.push(`remove ${OLD_SYSCTL_PATH}, which an earlier version wrote`);
  for (const { name, value, file } of overriddenAtBoot(wanted.sysctls, facts.text('boot-sysctls'))) {
    changes.push(`take ${name} = ${value} out of ${file}, which every boot reads after ${SYSCTL_PATH}`);
  }
  changes.push(...networkManagerChanges(wanted, facts));
  return wanted.swapOff ? [...changes, ...swapChanges(facts)] : changes;
}

/** Nothing where NetworkManager does not run: a file of its configuration would be a riddle there. */
function networkManagerChanges({ hasPods }: Wanted, facts: Facts): string[] {
  if (!hasPods || !facts.holds('network-manager')) return [];
  if (facts.text('network-manager-file') !== digestOf(renderNetworkManager())) {
    return [`write ${NETWORK_MANAGER_PATH}, so that NetworkManager leaves the pods' interfaces alone`];
  }
  return facts.holds('network-manager-read') ? [] : [`have NetworkManager read ${NETWORK_MANAGER_PATH}`];
}

async function tellNetworkManager({ host, signal }: StepContext): Promise<void> {
  await host.writeFile(NETWORK_MANAGER_PATH, renderNetworkManager());
  await host.run(RELOAD_NETWORK_MANAGER, { signal });
}

/** The CA's fingerprint joins the record later and is no matter of this step. */
function bearsRecord({ cluster, host }: Wanted, text: string): boolean {
  const found = parseOwner(text);
  if (found === undefined) return false;
  const wanted = ownerOf(cluster, host, found.caFingerprint);
  return (Object.keys(wanted) as (keyof typeof wanted)[]).every((key) => found[key] === wanted[key]);
}

/** A file of somebody else's that comes later is not ours to change. @throws KubewrightError KW451 */
function refuseOverrides({ host }: StepContext, { sysctls }: Wanted, facts: Facts): void {
  const settings = overriddenAtBoot(sysctls, facts.text('boot-sysctls'));
  if (settings.length === 0) return;
  const named = settings.map(({ name, value, file }) => `${file} sets ${name} = ${value}`);
  throw new KubewrightError('KW451', `kernel settings would be lost at the next boot: ${named.join(', ')}`, {
    host: host.name,
    hint: `These files are read after ${SYSCTL_PATH}. Take the settings out of them, or rename them so that they sort before it, then retry the step.`,
  });
}

async function loadModules({ host, signal }: StepContext, { features }: Wanted): Promise<void> {
  const loads = features.map(
    (feature) => `load() { ${featureTest(feature)}; }
load || said=$(modprobe ${feature.module} 2>&1) && load || fail ${feature.module} ${quote(feature.purpose)}`,
  );
  const script = `set +e
failed=0 said=
fail() {
  failed=1
  printf '%s (needed for %s): %s\\n' "$1" "$2" "\${said:-modprobe did nothing}"
  modprobe --showconfig | grep -E "^(install|blacklist) $1( |$)"
}
${loads.join('\n')}
exit "$failed"
`;
  const { exitCode, stdout } = await host.run(script, { signal, allowFailure: true });
  if (exitCode === 0) return;
  throw new KubewrightError('KW440', 'kernel modules could not be loaded', {
    host: host.name,
    output: stdout,
    hint: /^(install|blacklist) /m.test(stdout)
      ? 'The host forbids them: take the `install` and `blacklist` lines out of /etc/modprobe.d, then retry the step.'
      : 'After a kernel update the modules of the running kernel may be gone: reboot the host. Some kernels have them in a package of their own (linux-modules-extra on Ubuntu, kernel-modules-extra on RHEL). Then retry the step.',
  });
}

async function setSysctls({ host, signal }: StepContext, { sysctls }: Wanted): Promise<void> {
  const sets = [...sysctls].map(([name, value]) => `put ${quote(name)} ${quote(sysctlFile(name))} ${quote(value)}`);
  const { exitCode, stdout } = await host.run(
    `set +e
failed=0
put() {
  local now problem
  now=$(tr '\\t' ' ' <"$2" 2>/dev/null)
  [ "$now" != "$3" ] || return
  problem=$( { printf '%s\\n' "$3" >"$2"; } 2>&1) && return
  failed=1
  printf '%s = %s: %s\\n' "$1" "$3" "\${problem##*: }"
}
${sets.join('\n')}
exit "$failed"
`,
    { signal, allowFailure: true },
  );
  if (exitCode === 0) return;
  throw new KubewrightError('KW441', 'kernel settings could not be changed', {
    host: host.name,
    output: stdout,
    hint: /No such file/.test(stdout)
      ? 'The kernel does not have a setting of this name: correct "sysctls" in cluster.yaml, or load the module that brings it (name it in a file of /etc/modules-load.d as well), then retry the step.'
      : 'Correct "sysctls" in cluster.yaml, or see why the kernel does not take the value (in a container /proc/sys may be read-only), then retry the step.',
  });
}
