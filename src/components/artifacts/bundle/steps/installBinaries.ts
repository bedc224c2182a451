import { posix } from 'node:path';
import { otherVersion } from '../../../../activities/applied/version-fence.js';
import { uploadOf } from '../../../../activities/bundle-upload.js';
import { listed } from '../../../../activities/prepare/checks/problem.js';
import { bundleOf, hostOf } from '../../../../activities/prepare/target.js';
import { linkFacts, linkPath, linkPrograms, programUpload, staleLinks } from '../../../../activities/program-links.js';
import { gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { type Bundle, filesBelow } from '../../../../bundle/bundle.js';
import { type PlacedProgram, type ProgramName, placeProgram } from '../../../../bundle/programs.js';
import type { Cluster, Role } from '../../../../cluster/types.js';
import type { Upload } from '../../../../hosts/types.js';
import { BINARY_DIRECTORY, CNI_BINARY_DIRECTORY } from '../../../../render/kubelet-unit.js';
import { etcdOf, holdsMember, runsContainers } from '../../../registry/plan.js';
import {
  type KubeletState,
  kubeletChanges,
  kubeletFacts,
  kubeletState,
  restartKubelet,
  runningProgram,
  writeKubeletUnit,
} from '../../kubelet.js';

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
    const [missing, state] = await Promise.all([
      context.host.missingUploads(files, { signal: context.signal }),
      stateOf(context, programs),
    ]);
    const changes = [
      ...(missing.length > 0 ? [`upload ${listed(missing.map(({ target }) => target))}`] : []),
      ...state.unlinked.map((program) => `link ${linkPath(program)} to ${program.target}`),
      ...kubeletChanges(state.kubelet),
    ];
    const kubelet = state.kubelet.files.size === 0 ? '' : ', kubelet.service is enabled';
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
    if (!(await writeKubeletUnit(context))) return;
    if ((await stateOf(context, programs)).kubelet.outdated) await restartKubelet(context);
  },
};

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

/** Exported for the test that runs it. */
export const RUNNING_PROGRAM = runningProgram(BINARY_DIRECTORY);

interface HostState {
  kubelet: KubeletState;
  /** Programs that are not to be found under their names yet. */
  unlinked: PlacedProgram[];
}

async function stateOf(context: StepContext, programs: readonly PlacedProgram[]): Promise<HostState> {
  const facts = await gatherFacts(context.host, `${linkFacts(programs)}${kubeletFacts(context)}`, context.signal);
  return { kubelet: kubeletState(context, facts), unlinked: staleLinks(programs, facts) };
}
