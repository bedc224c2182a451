import { inTurn } from '../../activities/in-turn.js';
import { hostOf } from '../../activities/prepare/target.js';
import { digestOf, type Facts } from '../../activities/remote-facts.js';
import type { StepContext } from '../../activities/types.js';
import {
  KUBELET_DROP_IN_PATH,
  KUBELET_UNIT_PATH,
  renderKubeletDropIn,
  renderKubeletUnit,
} from '../../render/kubelet-unit.js';
import { loadedConfigPath } from '../../render/loaded-config.js';
import { artifactSourceOf, runsContainers, runtimeOf } from '../registry/plan.js';

/** The kubelet's service as a host has it, whichever source its program is from. */
export interface KubeletState {
  /** The unit files by their paths; none where there is no kubelet. */
  files: ReadonlyMap<string, string>;
  /** Paths of the unit files that are not as they should be. */
  stale: string[];
  enabled: boolean;
  /** Whether a kubelet runs that was started from another binary, or before the unit files were what they should be. */
  outdated: boolean;
}

/** Of the kubelet, where the step's host has one. */
function filesOf(context: StepContext): ReadonlyMap<string, string> {
  const { cluster } = context;
  if (!runsContainers(cluster, hostOf(context).role)) return new Map();
  const { programDirectory } = artifactSourceOf(cluster);
  return new Map([
    [KUBELET_UNIT_PATH, renderKubeletUnit(runtimeOf(cluster).unit, programDirectory)],
    [KUBELET_DROP_IN_PATH, renderKubeletDropIn(programDirectory)],
  ]);
}

/** What the kubelet's drop-in records of these files when the kubelet starts. */
function unitDigest(context: StepContext): string {
  return digestOf([...filesOf(context).values()].join(''));
}

/** Bash: whether the kubelet that runs is the binary that is there (ours), or one that was replaced since. */
export function runningProgram(directory: string): string {
  return `running() {
  pid=$(systemctl show -p MainPID --value kubelet.service) && [ "$pid" -gt 0 ] && [ -e "/proc/$pid/exe" ] || return
  if [ "/proc/$pid/exe" -ef ${directory}/kubelet ]; then echo ours; else echo other; fi
}`;
}

/** Facts for `kubeletState`. */
export function kubeletFacts(context: StepContext): string {
  const { programDirectory } = artifactSourceOf(context.cluster);
  return `${runningProgram(programDirectory)}
${[...filesOf(context).keys()].map((path) => `fact ${path} digest ${path} &\n`).join('')}fact program running &
fact loaded cut -c 1-64 ${loadedConfigPath('kubelet')} &
fact enabled systemctl is-enabled kubelet.service
`;
}

export function kubeletState(context: StepContext, facts: Facts): KubeletState {
  const files = filesOf(context);
  if (files.size === 0) return { files, stale: [], enabled: true, outdated: false };
  const stale = [...files].filter(([path, content]) => facts.text(path) !== digestOf(content)).map(([path]) => path);
  const isOurs = facts.text('program') === 'ours' && facts.text('loaded') === unitDigest(context);
  return { files, stale, enabled: facts.holds('enabled'), outdated: facts.holds('program') && !isOurs };
}

/** What `writeKubeletUnit` and `restartKubelet` would change, one line each. */
export function kubeletChanges({ stale, enabled, outdated }: KubeletState): string[] {
  return [
    ...stale.map((path) => `write ${path}`),
    ...(enabled ? [] : ['enable kubelet.service']),
    ...(outdated ? ['restart the kubelet, which runs with an older binary or unit'] : []),
  ];
}

/**
 * Enabled, so that a node comes back after a reboot, and not started, for only kubeadm gives it a configuration.
 *
 * @returns whether the host has a kubelet
 */
export async function writeKubeletUnit(context: StepContext): Promise<boolean> {
  const { host, signal } = context;
  const files = filesOf(context);
  if (files.size === 0) return false;
  for (const [path, content] of files) await host.writeFile(path, content);
  await host.run('systemctl daemon-reload && systemctl enable --quiet kubelet.service\n', { signal });
  return true;
}

/** Pods go on meanwhile. Only what runs: before kubeadm has been here there is nothing to run. */
export function restartKubelet(context: StepContext): Promise<void> {
  return inTurn(context, 'the kubelet is restarted', async () => {
    await context.durable('kubelet', `# ${unitDigest(context)}\nsystemctl try-restart kubelet.service\n`, {
      timeoutSeconds: 180,
      hint: 'See `systemctl status kubelet` and `journalctl -u kubelet` on the host, then retry the step.',
    });
  });
}
