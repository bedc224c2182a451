import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { HAPROXY_CONFIG_PATH } from '../../../src/components/load-balancer/haproxy-keepalived/render/haproxy.js';
import { KEEPALIVED_CONFIG_PATH } from '../../../src/components/load-balancer/haproxy-keepalived/render/keepalived.js';
import { CONTAINERD_CONFIG_PATH, CONTAINERD_UNIT_PATH } from '../../../src/components/runtime/containerd/paths.js';
import { messageOf } from '../../../src/errors.js';
import { endpointOf } from '../../../src/render/kubeadm.js';
import { MANIFESTS_DIRECTORY } from '../../../src/render/kubeadm-paths.js';
import { KUBELET_DROP_IN_PATH, KUBELET_UNIT_PATH } from '../../../src/render/kubelet-unit.js';
import { CA_CERTIFICATE } from './ca.js';
import type { FakeHost } from './host.js';
import { callsOf } from './shell-words.js';
import type { Timed } from './timing.js';

interface Work {
  takes: Timed;
  /** Changes the host as the script does; returns what it printed. @throws Error where the command fails */
  act(host: FakeHost, script: string): string;
}

/** What durable commands do, by the part that their step names them by. */
const WORKS: Record<string, Work> = {
  packages: { takes: 'packages', act: installPackages },
  containerd: {
    takes: 'containerd',
    act: (host) => start(host, 'containerd', CONTAINERD_UNIT_PATH, CONTAINERD_CONFIG_PATH),
  },
  kubelet: { takes: 'kubelet', act: startKubelet },
  images: { takes: 'images', act: importImages },
  activate: { takes: 'activate', act: activate },
  init: { takes: 'init', act: init },
  join: { takes: 'joinWorker', act: join },
};

/**
 * Carries out a durable command.
 *
 * @param id `cluster/NAME:HOST/STEP:PART`
 */
export async function doWork(host: FakeHost, id: string, script: string): Promise<{ code: number; output: string }> {
  const part = id.slice(id.lastIndexOf(':') + 1);
  const work = WORKS[part];
  if (work === undefined) {
    host.cluster.unknown.push(`the durable command ${id}`);
    return { code: 125, output: `fake host: no durable command "${part}" is known (bench/scale/fake-hosts/work.ts)\n` };
  }
  await pause(host.cluster.time(durationOf(host, id, work)));
  if (part === 'packages' && host.cluster.fault !== undefined) return { code: 100, output: host.cluster.fault };
  try {
    return { code: 0, output: work.act(host, script) };
  } catch (error) {
    return { code: 1, output: `${messageOf(error)}\n` };
  }
}

function durationOf({ role }: FakeHost, id: string, { takes }: Work): Timed {
  if (takes === 'images' && id.includes('check-images')) return 'checkImages';
  return takes === 'joinWorker' && role === 'control-plane' ? 'joinControlPlane' : takes;
}

function installPackages(host: FakeHost, script: string): string {
  const list = (name: string): string[] =>
    (new RegExp(`^${name}=\\((.*)\\)$`, 'm').exec(script)?.[1] ?? '').split(' ').filter(Boolean);
  const hold = list('hold');
  for (const name of list('packages')) host.packages.set(name, { held: hold.includes(name) });
  return `Setting up ${host.packages.size} packages ...\n`;
}

function start(host: FakeHost, service: string, ...configuration: string[]): string {
  host.start(service, ...configuration);
  return '';
}

function startKubelet(host: FakeHost): string {
  return start(host, 'kubelet', KUBELET_UNIT_PATH, KUBELET_DROP_IN_PATH);
}

/** Lines of an archive and the names of its images; archives are removed after their import. */
function importImages(host: FakeHost, script: string): string {
  const lines = /<<'IMAGES'\n([\s\S]*)\nIMAGES\n/.exec(script)?.[1]?.split('\n') ?? [];
  for (const [archive = '', ...names] of lines.map((line) => line.split(' '))) {
    if (!host.uploads.delete(archive)) continue;
    for (const name of names) host.images.add(name);
  }
  return '';
}

function activate(host: FakeHost, script: string): string {
  const paths: Record<string, string> = { haproxy: HAPROXY_CONFIG_PATH, keepalived: KEEPALIVED_CONFIG_PATH };
  for (const [service = ''] of callsOf(script, 'bring_up')) host.start(service, paths[service] ?? '');
  return '';
}

function writeFiles(host: FakeHost, script: string): void {
  for (const [path = '', content = ''] of callsOf(script, 'write')) host.files.set(path, content);
}

function init(host: FakeHost, script: string): string {
  const { cluster } = host;
  writeFiles(host, script);
  becomeControlPlane(host);
  cluster.dns.install();
  for (const [name, namespace, clusterIP] of [
    ['kubernetes', 'default', '10.96.0.1'],
    ['kube-dns', 'kube-system', '10.96.0.10'],
  ] as const) {
    cluster.api.put({ kind: 'Service', metadata: { name, namespace }, spec: { clusterIP } });
  }
  return 'Your Kubernetes control-plane has initialized\n';
}

function join(host: FakeHost, script: string): string {
  // The join asks for the cluster behind the virtual IP.
  if (!host.cluster.lives) throw new Error('no cluster answers');
  writeFiles(host, script);
  if (host.role === 'control-plane') becomeControlPlane(host);
  else becomeNode(host);
  return 'This node has joined the cluster\n';
}

function becomeControlPlane(host: FakeHost): void {
  for (const name of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd']) {
    const command = [name, `--advertise-address=${host.address}`];
    const manifest = stringify({ kind: 'Pod', spec: { containers: [{ name, command }] } });
    host.files.set(`${MANIFESTS_DIRECTORY}/${name}.yaml`, manifest);
  }
  host.files.set('/etc/kubernetes/admin.conf', 'a kubeconfig\n');
  host.files.set('/etc/kubernetes/pki/ca.key', 'a key\n');
  host.cluster.addMember(host);
  becomeNode(host);
}

function becomeNode(host: FakeHost): void {
  host.files.set(CA_CERTIFICATE.path, CA_CERTIFICATE.content);
  host.files.set('/etc/kubernetes/kubelet.conf', `    server: https://${endpointOf(host.cluster.config)}\n`);
  host.files.set('/var/lib/kubelet/config.yaml', 'kind: KubeletConfiguration\n');
  host.files.set('/var/lib/kubelet/pki/kubelet-client-current.pem', 'a certificate\n');
  startKubelet(host);
  host.cluster.addNode(host);
}
