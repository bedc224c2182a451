import { parse } from 'yaml';
import { apiServerPort } from './cluster/chosen-ports.js';
import { type Cluster, hostsOf } from './cluster/types.js';
import { isKubewrightError, KubewrightError, messageOf } from './errors.js';
import { quote } from './hosts/shell.js';
import type { Hosts, RemoteHost } from './hosts/types.js';
import { endpointOf } from './render/kubeadm.js';

const ADMIN_CONF = '/etc/kubernetes/admin.conf';

/** The administrator kubeconfig of a cluster: the key to everything in it. */
export interface Kubeconfig {
  /** The file, as YAML. */
  content: string;
  /** Control plane that it was read from. */
  host: string;
}

/**
 * Reads the administrator kubeconfig from the first control plane whose API server is ready.
 *
 * @throws KubewrightError KW530 when none has one, with what each host said
 */
export async function readKubeconfig(cluster: Cluster, hosts: Hosts): Promise<Kubeconfig> {
  const reasons: string[] = [];
  for (const { name } of hostsOf(cluster, 'control-plane')) {
    try {
      const host = hosts.get(name);
      const content = await host.readFile(ADMIN_CONF);
      if (content === undefined) reasons.push(`${name}: no ${ADMIN_CONF}`);
      else if (!(await isReady(cluster, host))) reasons.push(`${name}: its API server is not ready`);
      else return { content: checked(cluster, content.toString('utf8'), name), host: name };
    } catch (error) {
      if (isKubewrightError(error) && error.code === 'KW532') throw error;
      reasons.push(`${name}: ${messageOf(error)}`);
    }
  }
  throw new KubewrightError('KW530', `no control plane of ${cluster.name} has a kubeconfig to give`, {
    output: reasons.join('\n'),
    hint: 'Is the cluster installed? `kubewright plan cluster.yaml` looks at every host.',
  });
}

/** Asked of the host's own API server, not through the load balancer: there another host may answer. */
async function isReady(cluster: Cluster, host: RemoteHost): Promise<boolean> {
  const server = `https://${host.address}:${apiServerPort(cluster)}`;
  const script = `kubectl --kubeconfig ${ADMIN_CONF} --server ${quote(server)} --request-timeout 5s get --raw /readyz`;
  return (await host.run(script, { allowFailure: true })).exitCode === 0;
}

/** @throws KubewrightError KW532 when the file is another cluster's */
function checked(cluster: Cluster, content: string, host: string): string {
  const server = parse(content)?.clusters?.[0]?.cluster?.server;
  const wanted = `https://${endpointOf(cluster)}`;
  if (server === wanted) return content;
  throw new KubewrightError('KW532', `${ADMIN_CONF} points to ${server}, not to ${wanted}`, {
    host,
    hint: 'Is this the right cluster.yaml, or does the host belong to another cluster?',
  });
}
