import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import { featureTest, MODULES_PATH } from '../../render/modules.js';
import { NETWORK_MANAGER_PATH, RELOAD_NETWORK_MANAGER, renderNetworkManager } from '../../render/network-manager.js';
import { OWNER_PATH, parseOwner } from '../../render/owner.js';
import { OLD_SYSCTL_PATH, overriddenAtBoot, SYSCTL_PATH, sysctlFile } from '../../render/sysctl.js';
import { keepBefore } from '../before/keepBefore.js';
import { BEFORE_DIRECTORY } from '../before/places.js';
import { type Facts, gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';
import { claimHost, ownerOf, recordOwner } from './ownership.js';
import { swapChanges, switchSwapOff } from './swap.js';
import {
  moduleChanges,
  networkManagerChanges,
  sysctlChanges,
  systemQuestions,
  type WantedSystem,
  wantedSystem,
} from './system-state.js';
import { hostOf } from './target.js';

/**
 * Makes a host ours and its kernel fit for a node. The first step that changes a host, so before anything else it writes down what the
 * host is. Then come the ownership record, kernel modules (loaded only where the kernel lacks what they are for), kernel settings (set
 * only where they differ), swap, and NetworkManager's hands off the pods' interfaces where it runs. Swap is switched off, now and in
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
    await keepBefore(remote, cluster, wanted.host, context.signal);
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

function wantedOf(context: StepContext): WantedSystem {
  return wantedSystem(context.cluster, hostOf(context));
}

async function ask({ host, signal }: StepContext, wanted: WantedSystem): Promise<Facts> {
  return gatherFacts(host, `fact owner cat ${OWNER_PATH}\n${systemQuestions(wanted)}`, signal);
}

function changesOf(wanted: WantedSystem, facts: Facts): string[] {
  const record = bearsRecord(wanted, facts.text('owner'))
    ? []
    : [`write the ownership record ${OWNER_PATH} (cluster ${wanted.cluster.name})`];
  return [
    ...(facts.holds('owner') ? [] : [`write down in ${BEFORE_DIRECTORY} what the host is`]),
    ...record,
    ...moduleChanges(wanted, facts),
    ...sysctlChanges(wanted, facts),
    ...networkManagerChanges(wanted, facts),
    ...(wanted.swapOff ? swapChanges(facts) : []),
  ];
}

async function tellNetworkManager({ host, signal }: StepContext): Promise<void> {
  await host.writeFile(NETWORK_MANAGER_PATH, renderNetworkManager());
  await host.run(RELOAD_NETWORK_MANAGER, { signal });
}

/** The CA's fingerprint joins the record later and is no matter of this step. */
function bearsRecord({ cluster, host }: WantedSystem, text: string): boolean {
  const found = parseOwner(text);
  if (found === undefined) return false;
  const wanted = ownerOf(cluster, host, found.caFingerprint);
  return (Object.keys(wanted) as (keyof typeof wanted)[]).every((key) => found[key] === wanted[key]);
}

/** A file of somebody else's that comes later is not ours to change. @throws KubewrightError KW451 */
function refuseOverrides({ host }: StepContext, { sysctls }: WantedSystem, facts: Facts): void {
  const settings = overriddenAtBoot(sysctls, facts.text('boot-sysctls'));
  if (settings.length === 0) return;
  const named = settings.map(({ name, value, file }) => `${file} sets ${name} = ${value}`);
  throw new KubewrightError('KW451', `kernel settings would be lost at the next boot: ${named.join(', ')}`, {
    host: host.name,
    hint: `These files are read after ${SYSCTL_PATH}. Take the settings out of them, or rename them so that they sort before it, then retry the step.`,
  });
}

async function loadModules({ host, signal }: StepContext, { features }: WantedSystem): Promise<void> {
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

async function setSysctls({ host, signal }: StepContext, { sysctls }: WantedSystem): Promise<void> {
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
