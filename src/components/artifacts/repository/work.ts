import { onEachHost } from '../../../activities/each-host.js';
import { listed, type Problem } from '../../../activities/prepare/checks/problem.js';
import type { StepContext } from '../../../activities/types.js';
import type { ClusterHost } from '../../../cluster/types.js';
import { isKubewrightError, KubewrightError } from '../../../errors.js';
import { type ArtifactWork, NOTHING_TO_CHECK } from '../../work-types.js';
import { CHECK_IMAGES, imagesOfRole, pauseImageOf } from './images.js';
import { judge } from './judge.js';
import { fetchManifest } from './manifests.js';
import { familyOn, installedOn, obstacleOn, offersOn, repositoryFor } from './on-host.js';
import { inOtherVersion, OTHER_VERSION_HINT, packagesOf } from './packages.js';
import { lookAtUpstream } from './upstream.js';

export const work: ArtifactWork = {
  ...NOTHING_TO_CHECK,
  bundle: async () => undefined,

  async unavailable(published) {
    const fetches = await Promise.allSettled(published.map(fetchManifest));
    return fetches.flatMap((each) => (each.status === 'fulfilled' ? [] : [problemOf(each.reason)]));
  },

  // Names are the same for every architecture: a registry has an index behind each.
  async artifacts({ kubernetes: { version } }, _architecture, published) {
    const network = published.flatMap(({ images }) => images);
    return {
      pauseImage: () => pauseImageOf(version),
      images: (role, { holdsMember }) => imagesOfRole(version, role, { holdsMember, network }),
      checkImages: () => [...CHECK_IMAGES],
      async manifest(path) {
        const wanted = published.find((each) => each.path === path);
        if (wanted !== undefined) return await fetchManifest(wanted);
        throw new KubewrightError('KW378', `nobody publishes ${path} where it is known here`, {
          hint: 'Take network.plugin: manifest with a file of your own.',
        });
      },
    };
  },

  async checkTogether(context) {
    const hosts = context.cluster.hosts.filter(({ role }) => packagesOf(role).length > 0);
    const found = await onEachHost(hosts, async (host) => await problemsOn(context, host));
    return distinct(found.flat());
  },
};

/**
 * Asked from every host, with its own package manager: mirrors, certificates and architectures differ. One that has its packages is not
 * asked: a mirror that is away must not keep a cluster that lives from being mended.
 */
async function problemsOn(context: StepContext, { name, role }: ClusterHost): Promise<Problem[]> {
  const remote = context.hostNamed(name);
  const { version } = context.cluster.kubernetes;
  try {
    const family = await familyOn(remote, context.signal);
    const names = packagesOf(role);
    const there = await installedOn(remote, role, context.signal);
    const others = inOtherVersion(there, version);
    if (others.length > 0) {
      const what = `${name} has ${listed(others)}, and cluster.yaml says Kubernetes ${version}`;
      return [{ code: 'KW379', what, hint: OTHER_VERSION_HINT, hosts: [name] }];
    }
    const obstacle = await obstacleOn(context, remote, family, role);
    if (obstacle !== undefined) return [obstacle];
    if (there.length === names.length) return await lookAtUpstream(context, remote);
    const { url } = repositoryFor(context, family.repositories.format);
    const problems = judge(await offersOn(context, remote, family, names), { host: name, names, version, url });
    return [...problems, ...(await lookAtUpstream(context, remote))];
  } catch (error) {
    // The host's own check tells of a distribution that is not supported.
    if (isKubewrightError(error) && error.code === 'KW302') return [];
    if (!isKubewrightError(error) || error.code !== 'KW377') throw error;
    return [problemOf(error)];
  }
}

/** Of no host in particular. */
function problemOf(error: unknown): Problem {
  if (!isKubewrightError(error)) throw error;
  return { code: error.code, what: error.message, hint: error.hint ?? '', hosts: [] };
}

/** A variable that is not set is no host's fault: it is told once. */
function distinct(problems: Problem[]): Problem[] {
  return problems.filter((each, index) => problems.findIndex(({ what }) => what === each.what) === index);
}
