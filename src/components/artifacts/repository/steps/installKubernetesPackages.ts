import { otherVersion } from '../../../../activities/applied/version-fence.js';
import { listed } from '../../../../activities/prepare/checks/problem.js';
import { explained } from '../../../../activities/prepare/installPackages.js';
import { hostOf } from '../../../../activities/prepare/target.js';
import { digestOf, type Facts, gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { KubewrightError } from '../../../../errors.js';
import { quote } from '../../../../hosts/shell.js';
import {
  type DistributionFamily,
  type Offer,
  type PackageFacts,
  packageFactsScript,
  parsePackageFacts,
  type RepositoryFile,
} from '../../../distribution/index.js';
import type { PackageNeeds } from '../../../packages.js';
import type { Service } from '../../../types.js';
import {
  type KubeletState,
  kubeletChanges,
  kubeletFacts,
  kubeletState,
  restartKubelet,
  writeKubeletUnit,
} from '../../kubelet.js';
import { judge } from '../judge.js';
import { obstacleOn, offersOn, REPOSITORY, repositoryFor } from '../on-host.js';
import { choose, inOtherVersion, OTHER_VERSION_HINT, packagesOf, wantedVersion } from '../packages.js';

/**
 * Installs Kubernetes' packages of just the cluster's version and holds them, with the kubelet's unit of Kubewright's own:
 * enabled, and not started. A package that is there in another version is neither upgraded nor taken back: that is for an
 * upgrade, which drains the node.
 */
export const installKubernetesPackages: StepImplementation = {
  async probe(context) {
    const problem = await otherVersion(context);
    if (problem !== undefined) return { done: false, found: problem.message, changes: [], problem };
    const look = await lookAt(context);
    const other = otherPackages(context, look.present);
    if (other !== undefined) return { done: false, found: other.message, changes: [], problem: other };
    const changes = changesOf(context, look);
    const { version } = context.cluster.kubernetes;
    const installed = `the packages of Kubernetes ${version} are installed and held, kubelet.service is enabled`;
    return { done: changes.length === 0, found: changes.length === 0 ? installed : changes.join('; '), changes };
  },

  async apply(context) {
    const look = await lookAt(context);
    const problem = (await otherVersion(context)) ?? otherPackages(context, look.present);
    if (problem !== undefined) throw problem;
    const obstacle = await obstacleOn(context, context.host, look.family, hostOf(context).role);
    if (obstacle !== undefined)
      throw new KubewrightError(obstacle.code, obstacle.what, { host: context.host.name, hint: obstacle.hint });
    await writeFiles(context, look);
    if (look.missing.length > 0 || look.free.length > 0 || look.present.heldOffUnits.length > 0) {
      await install(context, look);
    }
    if (!(await writeKubeletUnit(context))) return;
    if ((await lookAt(context)).kubelet.outdated) await restartKubelet(context);
  },
};

interface Look {
  family: DistributionFamily;
  present: PackageFacts;
  /** Names of packages that are not installed. */
  missing: string[];
  /** Names of those that are, and that an upgrade of the system would change. */
  free: string[];
  /** Files of the repository that are not as they should be. */
  stale: RepositoryFile[];
  /** Paths of files that an earlier packages.repository has left. */
  strays: string[];
  kubelet: KubeletState;
}

/** Its unit is held off while the packages come, as services of the distribution are. */
const KUBELET: Service = { name: 'kubelet', packages: ['kubelet'], configuration: '', roles: [], remedy: '' };

async function lookAt(context: StepContext): Promise<Look> {
  const { host, signal } = context;
  const names = packagesOf(hostOf(context).role);
  const needs: PackageNeeds = { install: names, hold: [], services: [KUBELET] };
  const { stdout } = await host.run(packageFactsScript(needs), { signal });
  const { family, present } = parsePackageFacts(stdout);
  const { repositories } = family;
  const paths = repositories.paths(REPOSITORY);
  const digests = paths.map((path) => `fact ${path} digest ${path} &\n`).join('');
  const facts = await gatherFacts(host, `${digests}${kubeletFacts(context)}`, signal);
  const installed = present.packages.filter((each) => each.installed && names.includes(each.name));
  const has = new Set(installed.map(({ name }) => name));
  return {
    family,
    present,
    missing: names.filter((name) => !has.has(name)),
    free: installed.filter(({ held }) => !held).map(({ name }) => name),
    ...filesThatDiffer(repositories.files(repositoryFor(context, repositories.format)), paths, facts),
    kubelet: kubeletState(context, facts),
  };
}

function filesThatDiffer(
  files: readonly RepositoryFile[],
  paths: readonly string[],
  facts: Facts,
): Pick<Look, 'stale' | 'strays'> {
  const wanted = new Set(files.map(({ path }) => path));
  return {
    stale: files.filter(({ path, content }) => facts.text(path) !== digestOf(content)),
    strays: paths.filter((path) => !wanted.has(path) && facts.text(path) !== ''),
  };
}

function changesOf({ cluster }: StepContext, { missing, free, stale, strays, present, kubelet }: Look): string[] {
  const { version } = cluster.kubernetes;
  const wanted = missing.map((name) => [name, wantedVersion(name, version)].filter(Boolean).join(' '));
  return [
    ...stale.map(({ path }) => `write ${path}`),
    ...strays.map((path) => `remove ${path}`),
    ...(missing.length > 0 ? [`install the packages ${listed(wanted)}`] : []),
    ...(free.length > 0 ? [`hold ${listed(free)} at the installed version`] : []),
    ...present.heldOffUnits.map((unit) => `let ${unit} start again, which an interrupted installation held off`),
    ...kubeletChanges(kubelet),
  ];
}

/** @returns KW379 where a package of Kubernetes is there in another version; undefined where none is */
function otherPackages({ cluster, host }: StepContext, { packages }: PackageFacts): KubewrightError | undefined {
  const { version } = cluster.kubernetes;
  const others = inOtherVersion(packages, version);
  if (others.length === 0) return undefined;
  return new KubewrightError('KW379', `it has ${listed(others)}, and cluster.yaml says Kubernetes ${version}`, {
    host: host.name,
    hint: OTHER_VERSION_HINT,
  });
}

async function writeFiles({ host, signal }: StepContext, { stale, strays }: Look): Promise<void> {
  for (const { path, content, mode } of stale) await host.writeFile(path, content, { mode });
  if (strays.length > 0) await host.run(`rm -f ${strays.map(quote).join(' ')}\n`, { signal });
}

async function install(context: StepContext, { family, missing }: Look): Promise<void> {
  const { cluster, host } = context;
  const chosen = missing.length === 0 ? [] : await offered(context, family, missing);
  // What is there already keeps its version, and is held with the others.
  const packages = { install: chosen, hold: packagesOf(hostOf(context).role) };
  const script = family.repositories.installScript(REPOSITORY, packages, cluster.packages.proxy);
  try {
    await context.durable('packages', script, { timeoutSeconds: 2_000 });
  } catch (error) {
    throw explained(error, family, host.name);
  }
}

/** What the repository has of these packages; whatever the preflight saw, it may be another one by now. */
async function offered(context: StepContext, family: DistributionFamily, names: string[]): Promise<Offer[]> {
  const { cluster, host } = context;
  const { version } = cluster.kubernetes;
  const found = await offersOn(context, host, family, names);
  const { url } = repositoryFor(context, family.repositories.format);
  const [problem] = judge(found, { host: host.name, names, version, url });
  if (problem !== undefined) {
    throw new KubewrightError(problem.code, problem.what, { host: host.name, hint: problem.hint });
  }
  return choose(names, found.offers, version).chosen;
}
