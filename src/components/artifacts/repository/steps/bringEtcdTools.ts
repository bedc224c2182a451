import { linkFacts, linkPath, linkPrograms, staleLinks } from '../../../../activities/program-links.js';
import { type Facts, gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { KubewrightError } from '../../../../errors.js';
import { releaseDirectory } from '../../../../render/program-paths.js';
import { runtimeWorkOf } from '../../../registry/work.js';

const TOOLS = ['etcdctl', 'etcdutl'] as const;

/** Where etcd's image has them. */
const IN_IMAGE = '/usr/local/bin';

/**
 * Brings etcd's tools out of the image that kubeadm runs etcd from: so they are of the release that they look at, on every
 * distribution. No package of Kubernetes has them.
 */
export const bringEtcdTools: StepImplementation = {
  async probe(context) {
    const { image, changes } = await look(context);
    const found = `etcdctl and etcdutl are those of ${image}`;
    return { done: changes.length === 0, found: changes.length === 0 ? found : changes.join('; '), changes };
  },

  async apply(context) {
    const { cluster, host } = context;
    const { image, directory, tools } = await look(context);
    if (image === '') {
      throw new KubewrightError('KW452', 'its kubeadm does not say which image of etcd it takes', {
        host: host.name,
        hint: 'Run `kubeadm config images list` on the host, mend what it says, then retry the step.',
      });
    }
    const copy = runtimeWorkOf(cluster).copyFromImage;
    // What has no such way goes with bundles alone: the file's checks see to it.
    if (copy === undefined) throw new Error('the runtime cannot copy out of images');
    const paths = TOOLS.map((name) => `${IN_IMAGE}/${name}`);
    await context.durable('etcd-tools', copy(cluster, { image, paths, directory }), {
      timeoutSeconds: 1_500,
      hint: 'See that the host can pull the image, and that its runtime is well; then retry the step.',
    });
    await linkPrograms(context, tools);
  },
};

interface Look {
  /** Full name of etcd's image; empty where kubeadm is not there to ask. */
  image: string;
  directory: string;
  tools: { name: (typeof TOOLS)[number]; target: string }[];
  changes: string[];
}

async function look(context: StepContext): Promise<Look> {
  const { cluster, host, signal } = context;
  const links = TOOLS.map((name) => ({ name, target: '' }));
  const script = `etcd_image() { kubeadm config images list --kubernetes-version=v${cluster.kubernetes.version} | grep /etcd:; }
${linkFacts(links)}${TOOLS.map((name) => `fact ${name} test -x ${linkPath({ name })} &\n`).join('')}fact image etcd_image
`;
  const facts = await gatherFacts(host, script, signal);
  const image = facts.text('image');
  if (!/^[a-z0-9][\w.:/@-]*:[\w.-]+$/.test(image)) {
    return { image: '', directory: '', tools: [], changes: ["take etcdctl and etcdutl out of etcd's image"] };
  }
  const directory = releaseDirectory('etcd', image.slice(image.lastIndexOf(':') + 1));
  const tools = TOOLS.map((name) => ({ name, target: `${directory}/${name}` }));
  return { image, directory, tools, changes: changesOf(tools, image, facts) };
}

function changesOf(tools: Look['tools'], image: string, facts: Facts): string[] {
  const stale = new Set(staleLinks(tools, facts).map(({ name }) => name));
  const lacking = tools.filter(({ name }) => stale.has(name) || !facts.holds(name));
  return lacking.map(({ name }) => `take ${name} out of ${image}`);
}
