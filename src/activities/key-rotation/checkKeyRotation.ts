import { ENCRYPTION_PATH } from '../../cluster/security/paths.js';
import { type ClusterHost, hostsOf } from '../../cluster/types.js';
import { isKubewrightError } from '../../errors.js';
import { MANIFESTS_DIRECTORY } from '../../render/kubeadm-paths.js';
import { type Answer, unknown } from '../answers.js';
import { lookAtControlPlanes, type ReadyControlPlane, readyControlPlane } from '../kubeadm/control-plane.js';
import { described, listed, type Problem, preflightError } from '../prepare/checks/problem.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';
import { writtenWith } from './in-etcd.js';
import type { KeyFile, Rotation } from './key-file.js';
import { keyFileOn, loadedOn } from './on-host.js';
import { chooseTarget, type NamedFile } from './target.js';

/**
 * Looks at every control plane before anything is changed on any: all of them have to take part, or one could not read any more
 * what the others write. It chooses the name of the new key, or finds the one of a rotation that was begun.
 */
export const checkKeyRotation: StepImplementation = {
  withoutLease: true,

  async probe(context) {
    const looked = await look(context);
    if ('problems' in looked) {
      const { problems } = looked;
      const changes = problems.map(described);
      return { done: false, found: `${problems.length} problem(s)`, changes, problem: preflightError(problems) };
    }
    const { target, total } = looked;
    return {
      done: true,
      found: `${target.to} takes the place of ${target.from} on ${hostsOf(context.cluster, 'control-plane').length} control planes; ${total} objects in etcd are encrypted`,
      changes: [],
      data: { ...target, leftToDo: BACK_UP },
    };
  },

  /** @throws KubewrightError KW383 and KW387 to KW391, KW300 for several of them */
  async apply(context) {
    // Asked again, for a person may have mended it meanwhile.
    const looked = await look(context);
    if ('problems' in looked) throw preflightError(looked.problems);
  },
};

const BACK_UP = `back up ${ENCRYPTION_PATH} of one control plane; snapshots of etcd that were made before need the former file, so keep that with them`;

type Looked = { problems: Problem[] } | { target: Rotation; total: number };

async function look(context: StepContext): Promise<Looked> {
  const hosts = hostsOf(context.wholeCluster, 'control-plane');
  const unready = await notReady(context, hosts);
  if (unready.length > 0) return { problems: unready };
  const looks = await Promise.all(hosts.map((host) => lookAtKeyFile(context, host)));
  const [first] = hosts as [ClusterHost, ...ClusterHost[]];
  const asked = readyControlPlane(context, first);
  const begun = looks.some(({ file }) => file.is === 'yes' && file.value.rotation !== undefined);
  const problems = [
    ...(await strangers(context, hosts, asked)),
    ...looks.flatMap((each) => problemsOfFile(each, begun)),
  ];
  const files = looks.flatMap(({ host: { name }, file }): NamedFile[] =>
    file.is === 'yes' ? [{ host: name, file: file.value }] : [],
  );
  if (files.length < hosts.length) return { problems };
  const chosen = chooseTarget(files, new Date());
  if ('problem' in chosen) return { problems: [...problems, chosen.problem] };
  const written = await writtenWith(context, asked, (files[0] as NamedFile).file, chosen.target.to);
  if (written.is !== 'yes') problems.push(etcdSilent(first.name, written.is === 'no' ? written.evidence : written.why));
  if (written.is !== 'yes' || problems.length > 0) return { problems };
  return { target: chosen.target, total: written.value.total };
}

async function notReady(context: StepContext, hosts: ClusterHost[]): Promise<Problem[]> {
  const looks = await lookAtControlPlanes(context, hosts);
  return looks.flatMap((each): Problem[] => {
    if (each.state === 'ready') return [];
    const why = each.state === 'blank' ? 'no cluster is on it' : each.why.trim().split('\n').at(-1);
    const { name } = each.host;
    return [
      {
        code: 'KW387',
        what: `the API server of ${name} is not ready (${why})`,
        hint: 'Every control plane takes part in a rotation. Bring it back, then retry the step.',
        hosts: [name],
      },
    ];
  });
}

interface FileLook {
  host: ClusterHost;
  file: Answer<KeyFile>;
  loaded: Answer<string>;
  /** Whether its API server uses this file, and reads it again by itself. */
  uses: boolean;
  reloads: boolean;
}

async function lookAtKeyFile(context: StepContext, host: ClusterHost): Promise<FileLook> {
  const manifest = `${MANIFESTS_DIRECTORY}/kube-apiserver.yaml`;
  const script = `fact uses grep -qE -e '--encryption-provider-config=${ENCRYPTION_PATH}["'"'"']?$' ${manifest}
fact reloads grep -qE -e '--encryption-provider-config-automatic-reload(=true)?["'"'"']?$' ${manifest}`;
  try {
    const facts = await gatherFacts(context.hostNamed(host.name), script, context.signal);
    const [file, loaded] = [await keyFileOn(context, host), await loadedOn(context, host)];
    return { host, file, loaded, uses: facts.holds('uses'), reloads: facts.holds('reloads') };
  } catch (error) {
    // Unreachable hosts (KW2xx) and those that hang are a normal branch here; anything else is not.
    if (!isKubewrightError(error) || !error.transient) throw error;
    const silent = unknown(error.message);
    return { host, file: silent, loaded: silent, uses: true, reloads: true };
  }
}

/** @param begun whether a rotation is gone on with: its steps wait for what an API server has not read yet */
function problemsOfFile({ host: { name }, file, loaded, uses, reloads }: FileLook, begun: boolean): Problem[] {
  const hosts = [name];
  if (!uses || !reloads) {
    const what = uses
      ? `the API server of ${name} does not read ${ENCRYPTION_PATH} again by itself`
      : `the API server of ${name} does not encrypt by ${ENCRYPTION_PATH}`;
    const hint =
      'A rotation restarts nothing: it needs --encryption-provider-config with this file, and --encryption-provider-config-automatic-reload=true, as install sets both. Mend the flags in cluster.yaml and in the manifest, or rotate by hand.';
    return [{ code: 'KW389', what, hint, hosts }];
  }
  if (file.is !== 'yes') {
    const why = file.is === 'no' ? file.evidence : `${ENCRYPTION_PATH} of ${name}: ${file.why}`;
    const hint =
      'Install brings a lost file back. One that was edited by hand is rotated by hand, as Kubernetes describes it.';
    return [{ code: 'KW388', what: why, hint, hosts }];
  }
  if (loaded.is === 'yes' && (begun || loaded.value === file.value.digest)) return [];
  const why = loaded.is === 'unknown' ? loaded.why : 'it was changed since';
  const hint = 'API servers read it once a minute: wait for that, or look into its log, then retry the step.';
  return [
    { code: 'KW389', what: `the API server of ${name} does not work with the file that is there: ${why}`, hint, hosts },
  ];
}

/** A control plane of the cluster that the file does not have would be left with the old key. */
async function strangers(context: StepContext, hosts: ClusterHost[], asked: ReadyControlPlane): Promise<Problem[]> {
  const script = `ask nodes ${asked.kubectl} get nodes -l node-role.kubernetes.io/control-plane -o 'jsonpath={.items[*].metadata.name}'`;
  const nodes = (await gatherFacts(asked.remote, script, context.signal)).answer('nodes', 'it has none');
  const names = nodes.is === 'yes' ? nodes.value.split(/\s+/).filter(Boolean) : [];
  const others = names.filter((name) => !hosts.some((host) => host.name === name));
  if (nodes.is === 'yes' && others.length === 0) return [];
  const what =
    nodes.is === 'yes'
      ? `${listed(others)} are control planes of the cluster, and cluster.yaml does not have them`
      : `which control planes the cluster has cannot be told: ${nodes.is === 'no' ? nodes.evidence : nodes.why}`;
  const hint = 'Every control plane has to get the new key. Give the file that the cluster was installed with.';
  return [{ code: 'KW390', what, hint, hosts: others }];
}

function etcdSilent(host: string, why: string): Problem {
  return {
    code: 'KW391',
    what: `etcd cannot be asked from ${host} with which key its objects are encrypted: ${why}`,
    hint: 'No key is taken away before etcd has said so. `etcdctl` has to be there, and etcd to answer with the certificates that the flags of the API server name.',
    hosts: [host],
  };
}
