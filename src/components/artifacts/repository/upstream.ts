import type { Problem } from '../../../activities/prepare/checks/problem.js';
import { registryScript } from '../../../activities/prepare/registry/script.js';
import { gatherFacts } from '../../../activities/remote-facts.js';
import type { StepContext } from '../../../activities/types.js';
import type { RemoteHost } from '../../../hosts/types.js';

/** Where images of Kubernetes are published. It has those of every release that there are packages of, so none is asked for. */
const UPSTREAM = { address: 'registry.k8s.io', paths: {}, ca: null, loginEnv: null, images: 'all' } as const;

/** What a node has, and an etcd host: it has its images, and a registry that is away must not keep it from being mended. */
const ALIVE = '{ [ -e /etc/kubernetes/kubelet.conf ] || [ -e /etc/kubernetes/manifests/etcd.yaml ]; }';

/**
 * Whether a host that is no node yet reaches the registry from which it is going to pull; a node is not asked. One of the user's is asked
 * with the other questions about it, and behind a proxy nobody is: only the runtime goes through that.
 */
export async function lookAtUpstream({ cluster, signal }: StepContext, host: RemoteHost): Promise<Problem[]> {
  const { registry, proxy } = cluster.packages;
  if (registry !== undefined || proxy !== null) return [];
  const question = `if ! ${ALIVE}; then
${registryScript(UPSTREAM, new Map())}
fi
`;
  const facts = await gatherFacts(host, question, signal, { input: '\n' });
  const [unasked] = facts.rows('registry-unasked')[0] ?? [];
  const [failed] = facts.rows('registry-failed')[0] ?? [];
  const why = unasked ?? failed;
  if (why === undefined) return [];
  const what = unasked === undefined ? 'gets no answer from' : 'cannot ask';
  return [
    {
      code: 'KW366',
      what: `${host.name} ${what} ${UPSTREAM.address}, where images are pulled from${why.trim() === '' ? '' : ` (${why.trim()})`}`,
      hint: 'Let the hosts reach it, name a proxy in packages.proxy, or a registry that has the images in packages.registry.',
      hosts: [host.name],
      ...(unasked === undefined ? {} : { severity: 'warning' as const }),
    },
  ];
}
