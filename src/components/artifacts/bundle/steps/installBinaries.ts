import { posix } from 'node:path';
import { otherVersion } from '../../../../activities/applied/version-fence.js';
import { uploadOf } from '../../../../activities/bundle-upload.js';
import { inTurn } from '../../../../activities/in-turn.js';
import { listed } from '../../../../activities/prepare/checks/problem.js';
import { bundleOf, hostOf } from '../../../../activities/prepare/target.js';
import { linkFacts, linkPath, linkPrograms, programUpload, staleLinks } from '../../../../activities/program-links.js';
import { digestOf, gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { type Bundle, filesBelow } from '../../../../bundle/bundle.js';
import { type PlacedProgram, type ProgramName, placeProgram } from '../../../../bundle/programs.js';
import type { Cluster, Role } from '../../../../cluster/types.js';
import type { Upload } from '../../../../hosts/types.js';
import {
  BINARY_DIRECTORY,
  CNI_BINARY_DIRECTORY,
  KUBELET_DROP_IN_PATH,
  KUBELET_UNIT_PATH,
  renderKubeletDropIn,
  renderKubeletUnit,
} from '../../../../render/kubelet-unit.js';
import { loadedConfigPath } from '../../../../render/loaded-config.js';
import { etcdOf, holdsMember, runsContainers, runtimeOf } from '../../../registry/plan.js';

const OF_CONTAINERS: readonly ProgramName[] = ['kubelet', 'crictl'];

/** kubectl only where admin.conf is; etcd's tools only where a person would look at etcd. */
const PROGRAMS: Record<Role, ProgramName[]> = {
  'control-plane': ['kubelet', 'kubeadm', 'crictl', 'kubectl', 'etcdctl', 'etcdutl'],
  worker: ['kubelet', 'kubeadm', 'crictl'],
  etcd: ['kubelet', 'kubeadm', 'crictl', 'etcdctl', 'etcdutl'],
  director: [],
};

/** What hosts of a role run: kubeadm also where there is no kubelet, for it makes certificates. */
function programsOf(cluster: Cluster, role: Role): ProgramName[] {
  const ofEtcd = holdsMember(cluster, role) ? etcdOf(cluster).programs : [];
  const containers = runsContainers(cluster, role);
  return [...PROGRAMS[role].filter((name) => containers || !OF_CONTAINERS.includes(name)), ...ofEtcd];
}

/** Of the kubelet, where there is one. */
function unitFilesOf(cluster: Cluster, role: Role): ReadonlyMap<string, string> {
  if (!runsContainers(cluster, role)) return new Map();
  return new Map([
    [KUBELET_UNIT_PATH, renderKubeletUnit(runtimeOf(cluster).unit)],
    [KUBELET_DROP_IN_PATH, renderKubeletDropIn()],
  ]);
}

/** What the kubelet's drop-in records of these files when the kubelet starts. */
function unitDigest(context: StepContext): string {
  return digestOf([...unitFilesOf(context.cluster, hostOf(context).role).values()].join(''));
}

/**
 * Brings what a host of this role runs from the bundle, and the kubelet's unit: enabled, so that a node comes back after
 * a reboot, and not started, for only kubeadm gives it a configuration. A kubelet that runs with what was there before is
 * restarted. A node that runs another version is left alone.
 */
export const installBinaries: StepImplementation = {
  async probe(context) {
    const problem = await otherVersion(context);
    if (problem !== undefined) return { done: false, found: problem.message, changes: [], problem };
    const { bundle, programs, files } = await wantedOf(context);
    const [missing, unit] = await Promise.all([
      context.host.missingUploads(files, { signal: context.signal }),
      unitState(context, programs),
    ]);
    const changes = [
      ...(missing.length > 0 ? [`upload ${listed(missing.map(({ target }) => target))}`] : []),
      ...unit.unlinked.map((program) => `link ${linkPath(program)} to ${program.target}`),
      ...unit.stale.map((path) => `write ${path}`),
      ...(unit.enabled ? [] : ['enable kubelet.service']),
      ...(unit.outdated ? ['restart the kubelet, which runs with an older binary or unit'] : []),
    ];
    const kubelet = unit.files.size === 0 ? '' : ', kubelet.service is enabled';
    const installed = `${files.length} binaries of Kubernetes ${bundle.kubernetesVersion} are in place${kubelet}`;
    return { done: changes.length === 0, found: changes.length === 0 ? installed : changes.join('; '), changes };
  },

  async apply(context) {
    const { host, signal } = context;
    const { programs, files } = await wantedOf(context);
    const problem = await otherVersion(context);
    if (problem !== undefined) throw problem;
    await host.upload(files, { signal, onProgress: (line) => context.progress(line) });
    await linkPrograms(context, programs);
    const units = unitFilesOf(context.cluster, hostOf(context).role);
    if (units.size === 0) return;
    for (const [path, content] of units) await host.writeFile(path, content);
    await host.run('systemctl daemon-reload && systemctl enable --quiet kubelet.service\n', { signal });
    if ((await unitState(context, programs)).outdated)
      await inTurn(context, 'the kubelet is restarted', () => restart(context));
  },
};

/** Pods go on meanwhile. Only what runs: before kubeadm has been here there is nothing to run. */
async function restart(context: StepContext): Promise<void> {
  await context.durable('kubelet', `# ${unitDigest(context)}\nsystemctl try-restart kubelet.service\n`, {
    timeoutSeconds: 180,
    hint: 'See `systemctl status kubelet` and `journalctl -u kubelet` on the host, then retry the step.',
  });
}

interface Wanted {
  bundle: Bundle;
  programs: PlacedProgram[];
  /** The programs and the CNI plugins, which the runtime looks for in one folder. */
  files: Upload[];
}

async function wantedOf(context: StepContext): Promise<Wanted> {
  const bundle = await bundleOf(context);
  const { role } = hostOf(context);
  const programs = programsOf(context.cluster, role).map((name) => placeProgram(bundle, name));
  // What runs on an etcd host lives on its own network.
  const plugins = role === 'etcd' ? [] : filesBelow(bundle, 'cni');
  const placed = plugins.map((each) => uploadOf(each, `${CNI_BINARY_DIRECTORY}/${posix.basename(each.path)}`));
  return { bundle, programs, files: [...programs.map(programUpload), ...placed] };
}

/** Bash: whether the kubelet that runs is the binary that is there (ours), or one that was replaced since. */
export const RUNNING_PROGRAM = `running() {
  pid=$(systemctl show -p MainPID --value kubelet.service) && [ "$pid" -gt 0 ] && [ -e "/proc/$pid/exe" ] || return
  if [ "/proc/$pid/exe" -ef ${BINARY_DIRECTORY}/kubelet ]; then echo ours; else echo other; fi
}`;

interface UnitState {
  /** The kubelet's unit files by their paths; none where there is no kubelet. */
  files: ReadonlyMap<string, string>;
  /** Paths of the unit files that are not as they should be. */
  stale: string[];
  /** Programs that are not to be found under their names yet. */
  unlinked: PlacedProgram[];
  enabled: boolean;
  /** Whether a kubelet runs that was started from another binary, or before the unit files were what they should be. */
  outdated: boolean;
}

async function unitState(context: StepContext, programs: readonly PlacedProgram[]): Promise<UnitState> {
  const { cluster, host, signal } = context;
  const files = unitFilesOf(cluster, hostOf(context).role);
  const script = `${RUNNING_PROGRAM}
${[...files.keys()].map((path) => `fact ${path} digest ${path} &\n`).join('')}
${linkFacts(programs)}fact program running &
fact loaded cut -c 1-64 ${loadedConfigPath('kubelet')} &
fact enabled systemctl is-enabled kubelet.service`;
  const facts = await gatherFacts(host, script, signal);
  const stale = [...files].filter(([path, content]) => facts.text(path) !== digestOf(content)).map(([path]) => path);
  const isOurs = facts.text('program') === 'ours' && facts.text('loaded') === unitDigest(context);
  const unlinked = staleLinks(programs, facts);
  if (files.size === 0) return { files, stale, unlinked, enabled: true, outdated: false };
  return { files, stale, unlinked, enabled: facts.holds('enabled'), outdated: facts.holds('program') && !isOurs };
}
