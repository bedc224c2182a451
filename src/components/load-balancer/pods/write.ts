import { digestOf } from '../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../activities/types.js';
import { quote } from '../../../hosts/shell.js';
import type { AskForGoal, PodFile, PodGoal } from './goal.js';

const PULL_SECONDS = 900;

export interface WritingPods<Pod extends string> {
  /** Of all files. */
  paths: readonly string[];
  goalOf: AskForGoal<Pod>;
  /** Images that the file names; empty where the bundle's are taken. */
  images(context: StepContext): readonly string[];
  /** Key of the file that names them. */
  key: string;
}

/**
 * What the static pods of one control plane read, and their manifests, where no kubelet looks yet: `kubeadm init` hands them
 * to its kubelet, and elsewhere the step that starts them does. A manifest that lay in the kubelet's directory before would
 * make the host look like a node. Images that the file names are pulled here, where a registry that does not answer is told
 * as such.
 */
export function writingPods<Pod extends string>(pods: WritingPods<Pod>): StepImplementation {
  return {
    async probe(context) {
      const goal = await look(pods, context);
      const changes = [
        ...staleOf(goal).map(({ path }) => `write ${path}`),
        ...missingImages(pods.images(context), goal).map((image) => `pull ${image}`),
      ];
      const done = changes.length === 0;
      const found = done ? 'the static pods of the load balancer are written' : 'the static pods are not written';
      return { done, found, changes };
    },

    async apply(context) {
      const goal = await look(pods, context);
      const missing = missingImages(pods.images(context), goal);
      if (missing.length > 0) await pull(context, missing, pods.key);
      // One after the other, so that no manifest is there before what it mounts.
      for (const { path, content, mode } of staleOf(goal)) await context.host.writeFile(path, content, { mode });
    },
  };
}

function look<Pod extends string>(pods: WritingPods<Pod>, context: StepContext): Promise<PodGoal<Pod>> {
  const files = pods.paths.map((path) => `fact file:${path} digest ${path}\n`);
  const images = pods.images(context).map((image) => `fact image:${image} crictl inspecti -q ${quote(image)}\n`);
  return pods.goalOf(context, [...files, ...images].join(''));
}

function staleOf<Pod extends string>({ wanted, facts }: PodGoal<Pod>): PodFile[] {
  return wanted.files.filter(({ path, content }) => facts.text(`file:${path}`) !== digestOf(content));
}

function missingImages(images: readonly string[], { facts }: Pick<PodGoal<string>, 'facts'>): string[] {
  return images.filter((image) => !facts.holds(`image:${image}`));
}

async function pull(context: StepContext, images: string[], key: string): Promise<void> {
  await context.durable('pull', images.map((image) => `crictl pull ${quote(image)}\n`).join(''), {
    timeoutSeconds: PULL_SECONDS,
    hint: `The output says why. Let the host reach the registry, correct "${key}", or leave it out for the image of the bundle; then retry the step.`,
  });
}
