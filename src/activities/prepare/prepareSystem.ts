import type { Cluster, ClusterHost } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import { FSTAB_PATH, withoutSwap } from '../../render/fstab.js';
import {
  featureTest,
  type KernelFeature,
  kernelFeaturesFor,
  MODULES_PATH,
  renderModules,
} from '../../render/modules.js';
import { OWNER_PATH, parseOwner } from '../../render/owner.js';
import { renderSysctls, SYSCTL_PATH, sameSysctl, sysctlFile, sysctlsFor } from '../../render/sysctl.js';
import { digestOf, type Facts, gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';
import { swapMustGo } from './checks/resources.js';
import { claimHost, ownerOf, recordOwner } from './ownership.js';
import { hostOf } from './target.js';

/**
 * Makes a host ours and its kernel fit for a node: the ownership record first, then kernel modules (loaded only where the
 * kernel lacks what they are for), kernel settings (set only where they differ) and swap. Swap is switched off, now and in
 * /etc/fstab with the original kept beside it, unless the kubelet is configured with failSwapOn: false.
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
    await loadModules(context, wanted);
    await setSysctls(context, wanted);
    const present = await ask(context, wanted);
    if (swapChanges(wanted, present).length > 0) await switchSwapOff(context);
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
}

function wantedOf(context: StepContext): Wanted {
  const { cluster } = context;
  const host = hostOf(context);
  const sysctls = sysctlsFor(cluster, host);
  return {
    cluster,
    host,
    features: kernelFeaturesFor(host.role),
    modulesFile: renderModules(host.role),
    sysctls,
    sysctlFile: renderSysctls(sysctls),
    swapOff: swapMustGo(cluster),
  };
}

interface Present {
  facts: Facts;
  swaps: string[];
}

async function ask({ host, signal }: StepContext, wanted: Wanted): Promise<Present> {
  const features = wanted.features.map(
    (feature) => `feature() { ${featureTest(feature)}; }\nfact feature-${feature.module} feature\n`,
  );
  const sysctls = [...wanted.sysctls.keys()].map((name) => `fact ${quote(name)} cat ${quote(sysctlFile(name))}\n`);
  const script = `fact owner cat ${OWNER_PATH}
fact modules digest ${MODULES_PATH}
fact sysctls digest ${SYSCTL_PATH}
fact fstab cat ${FSTAB_PATH}
fact swaps awk 'NR > 1 {print $1}' /proc/swaps
${[...features, ...sysctls].join('')}`;
  const facts = await gatherFacts(host, script, signal);
  return { facts, swaps: facts.text('swaps').split('\n').filter(Boolean) };
}

function changesOf(wanted: Wanted, present: Present): string[] {
  const { facts } = present;
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
  return [...changes, ...swapChanges(wanted, present)];
}

function swapChanges({ swapOff }: Wanted, present: Present): string[] {
  const changes: string[] = [];
  if (!swapOff) return changes;
  if (present.swaps.length > 0) changes.push(`switch swap off (${present.swaps.join(', ')})`);
  const fstab = present.facts.text('fstab');
  if (withoutSwap(fstab) !== fstab) changes.push(`comment the swap entries of ${FSTAB_PATH} out`);
  return changes;
}

/** The CA's fingerprint joins the record later and is no matter of this step. */
function bearsRecord({ cluster, host }: Wanted, text: string): boolean {
  const found = parseOwner(text);
  if (found === undefined) return false;
  const wanted = ownerOf(cluster, host, found.caFingerprint);
  return (Object.keys(wanted) as (keyof typeof wanted)[]).every((key) => found[key] === wanted[key]);
}

async function loadModules({ host, signal }: StepContext, { features }: Wanted): Promise<void> {
  const loads = features.map((feature) => `{ ${featureTest(feature)}; } || modprobe ${feature.module}`);
  const { exitCode, stderr } = await host.run(`set -e\n${loads.join('\n')}\n`, { signal, allowFailure: true });
  if (exitCode === 0) return;
  throw new KubewrightError('KW440', 'a kernel module could not be loaded', {
    host: host.name,
    output: stderr,
    hint: 'After a kernel update the modules of the running kernel may be gone: reboot the host, then retry the step.',
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
    hint: 'Correct "sysctls" in cluster.yaml, or see why the kernel does not take them (in a container /proc/sys may be read-only), then retry the step.',
  });
}

/** Taking pages back into memory may take minutes, so it is a durable command. Units that fstab does not know are masked. */
async function switchSwapOff(context: StepContext): Promise<void> {
  const fstab = await context.host.readFile(FSTAB_PATH);
  if (fstab !== undefined) await context.host.writeFile(FSTAB_PATH, withoutSwap(fstab.toString('utf8')));
  await context.durable(
    'swap',
    `swapoff --all
systemctl daemon-reload
systemctl list-units --type swap --all --plain --no-legend | while read -r unit _; do
  systemctl mask --now "$unit"
done
`,
    { timeoutSeconds: 1_800, hint: 'See what uses so much memory (`free`, `top`), then retry the step.' },
  );
}
