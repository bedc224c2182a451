import { digestOf } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { quote } from '../../../../hosts/shell.js';
import { CHECK_SCRIPT_PATH, CONFIG_PATHS, manifestPath, PODS } from '../places.js';
import { ownImages } from '../settings.js';
import type { BalancerFile } from './files.js';
import { type Goal, goalOf } from './goal.js';

const PULL_SECONDS = 900;

const PATHS = [CHECK_SCRIPT_PATH, ...PODS.flatMap((pod) => [CONFIG_PATHS[pod], manifestPath(pod)])];

/**
 * What the static pods of one control plane read, and their manifests, where no kubelet looks yet: `kubeadm init` hands them
 * to its kubelet, and elsewhere `startBalancerPods` does. A manifest that lay in the kubelet's directory before would make
 * the host look like a node. Images that the file names are pulled here, where a registry that does not answer is told as
 * such.
 */
export const writeBalancerPods: StepImplementation = {
  async probe(context) {
    const goal = await look(context);
    const changes = [
      ...staleOf(goal).map(({ path }) => `write ${path}`),
      ...missingImages(context, goal).map((image) => `pull ${image}`),
    ];
    const done = changes.length === 0;
    const found = done ? 'the static pods of the load balancer are written' : 'the static pods are not written';
    return { done, found, changes };
  },

  async apply(context) {
    const goal = await look(context);
    const missing = missingImages(context, goal);
    if (missing.length > 0) await pull(context, missing);
    // One after the other, so that no manifest is there before what it mounts.
    for (const { path, content, mode } of staleOf(goal)) await context.host.writeFile(path, content, { mode });
  },
};

function look(context: StepContext): Promise<Goal> {
  const files = PATHS.map((path) => `fact file:${path} digest ${path}\n`);
  const images = namedImages(context).map((image) => `fact image:${image} crictl inspecti -q ${quote(image)}\n`);
  return goalOf(context, [...files, ...images].join(''));
}

function namedImages({ cluster }: StepContext): string[] {
  return [...new Set(Object.values(ownImages(cluster) ?? {}))];
}

function staleOf({ wanted, facts }: Goal): BalancerFile[] {
  return wanted.files.filter(({ path, content }) => facts.text(`file:${path}`) !== digestOf(content));
}

function missingImages(context: StepContext, { facts }: Goal): string[] {
  return namedImages(context).filter((image) => !facts.holds(`image:${image}`));
}

async function pull(context: StepContext, images: string[]): Promise<void> {
  await context.durable('pull', images.map((image) => `crictl pull ${quote(image)}\n`).join(''), {
    timeoutSeconds: PULL_SECONDS,
    hint: 'The output says why. Let the host reach the registry, correct "loadBalancer.images", or leave it out for the image of the bundle; then retry the step.',
  });
}
