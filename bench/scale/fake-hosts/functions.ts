import { createHash, X509Certificate } from 'node:crypto';
import { SAYS_NO } from '../../../src/activities/remote-facts.js';
import { hostsOf } from '../../../src/cluster/types.js';
import { apiAddressOf } from '../../../src/components/registry/plan.js';
import { PATCHES_DIRECTORY } from '../../../src/render/kubeadm-paths.js';
import { SYSCTL_PATH } from '../../../src/render/sysctl.js';
import { type ApiObject, failed, type Said, said } from './api.js';
import { CA_CERTIFICATE } from './ca.js';
import { isMember, memberList } from './etcd.js';
import { type FakeHost, sha256 } from './host.js';
import { callApi } from './kubectl.js';
import { wordsOf } from './shell-words.js';

type Respond = (host: FakeHost, words: string[], body: string) => Said;

const fails: Said = { code: 1, stdout: '', stderr: '' };
const NO: Said = { code: SAYS_NO, stdout: '', stderr: '' };
const yesIf = (holds: boolean): Said => (holds ? said('') : fails);

/** Questions that the steps put by a function of the script, by the function's name. */
export const FUNCTIONS: Record<string, Respond> = {
  // Kernel features are there, or come with their module: the steps load what is missing before they ask again.
  feature: () => said(''),
  boot_sysctls: (host) => said(`# ${SYSCTL_PATH}\n${host.files.get(SYSCTL_PATH) ?? ''}`),
  swap_units: () => said(''),
  // NetworkManager does not run there.
  has_read_file: () => fails,
  registry_files: () => said(''),
  addresses: (host) => said(addresses(host)),
  ca: (host) => certificateDigest(host, '/etc/kubernetes/pki/ca.crt'),
  certificate_digest: (host, [path = '']) => certificateDigest(host, path),
  card: (host, [address]) => (address === host.address ? said('eth0') : NO),
  holder: () => fails,
  holds_vip: (host) => (host.cluster.holder === host ? said('') : NO),
  mac: (host) => said(host.cluster.holder === host ? host.mac : ''),
  neighbour: (host) => said(host.cluster.holder?.mac ?? ''),
  api_get: (host, [path = '']) => apiGet(host, path),
  ready: ({ cluster }) => (cluster.members.length > 0 ? said('ok') : failed('connection refused\n')),
  backends: ({ cluster: { config } }) =>
    said(
      hostsOf(config, 'control-plane')
        .map(({ name }) => `${name} UP L7OK`)
        .join('\n'),
    ),
  healthz: (host) => yesIf(host.active.has('kubelet')),
  member_list: (host) => (isMember(host) ? said(memberList(host)) : failed('no etcd member takes clients there\n')),
  command_lines: (host, [name = '']) => said(commandLine(host, name)),
  running: (host) => (host.active.has('kubelet') ? said('ours') : fails),
  running_kubelet: (host) => (host.has('/usr/local/bin/kubelet') ? said(kubeletVersion(host)) : NO),
  node_object: (host, _, body) => nodeObject(host, body),
  patches: (host) => patches(host),
  program: (host, [service = 'containerd']) => (host.active.has(service) ? said(programOf(host, service)) : NO),
  pods: (host) => said(host.active.has('kubelet') ? '3' : '0'),
  cri: (host) => yesIf(host.active.has('containerd')),
  rules_read: () => said(''),
  firewalls: () => said(''),
  certificates: (_, paths) => said(paths.map((path) => `of ${path} ${DER}`).join('\n')),
  presented: () => said(DER),
  disks: (_, [, ...paths]) => said(paths.map(diskOf).concat('mount rw /').join('\n')),
  units: (host, names) => said(names.map((name) => unitState(host, name)).join('\n')),
  kernel_log: () => said(''),
  conntrack_table: () => said('100 262144'),
  member_metrics: (host) => (isMember(host) ? said(MEMBER) : failed('nothing answers at 127.0.0.1:2381\n')),
  snapshots: () => said('newest 3600 snapshot.db'),
  answer: (host) => (host.cluster.dns.pods().some(isPlaced) ? said(DNS_ANSWER) : fails),
};

const CONTAINERD_PROGRAM = '/opt/kubewright/containerd/2.0.0/containerd';

/** One that ends in a hundred years, in the place of all: nobody asks what it is for. */
const DER = new X509Certificate(CA_CERTIFICATE.content).raw.toString('base64');

/** A member of etcd that has a leader, room and a quick disk. */
const MEMBER = `etcd_server_has_leader 1
etcd_server_quota_backend_bytes 2147483648
etcd_mvcc_db_total_size_in_bytes 20971520
etcd_mvcc_db_total_size_in_use_in_bytes 10485760
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.512"} 90210
etcd_disk_wal_fsync_duration_seconds_bucket{le="1.024"} 90210
etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 90210
etcd_disk_backend_commit_duration_seconds_bucket{le="0.256"} 40210
etcd_disk_backend_commit_duration_seconds_bucket{le="+Inf"} 40210
etcd_server_leader_changes_seen_total 1
process_start_time_seconds 1.7e+09
health {"health":"true","reason":""}`;

/** All on one disk, half of which is free. */
function diskOf(path: string): string {
  return `at ${path} 1 /\nspace ${path} 4096 26214400 13107200 6553600 3276800`;
}

function unitState(host: FakeHost, name: string): string {
  const state = host.active.has(name.replace(/\.service$/, '')) ? 'active' : 'inactive';
  return `Id=${name}\nActiveState=${state}\nSubState=running\nResult=success\n`;
}

/** A DNS answer without an error that ends with 10.96.0.1, the API's address, in hexadecimal. */
const DNS_ANSWER = `4b5781800001000100000000${'0a600001'}`;

function isPlaced({ spec }: ApiObject): boolean {
  return (spec as { nodeName?: string }).nodeName !== undefined;
}

/** Lines of card, address and hardware address. */
export function addresses(host: FakeHost): string {
  const { config, holder } = host.cluster;
  const vip = holder === host ? [`eth0 ${apiAddressOf(config)}/32 ${host.mac}`] : [];
  return ['lo 127.0.0.1/8 00:00:00:00:00:00', `eth0 ${host.address}/16 ${host.mac}`, ...vip].join('\n');
}

function certificateDigest(host: FakeHost, path: string): Said {
  const pem = host.files.get(path);
  if (pem === undefined) return fails;
  return said(createHash('sha256').update(new X509Certificate(pem).raw).digest('hex'));
}

/** As the API answers through the virtual IP. */
function apiGet(host: FakeHost, path: string): Said {
  const { cluster } = host;
  if (!cluster.lives) return failed('no answer\n');
  if (path === '/readyz') return said('ok');
  const name = /^\/api\/v1\/nodes\/(.+)$/.exec(path)?.[1] ?? '';
  const node = cluster.api.find('node', '', name);
  return node === undefined ? NO : said(JSON.stringify(node));
}

/** A static pod runs with its manifest's command as soon as the kubelet does. */
function commandLine(host: FakeHost, name: string): string {
  const there = host.active.has('kubelet') && host.files.has(`/etc/kubernetes/manifests/${name}.yaml`);
  return there ? `${name}\n--advertise-address=${host.address}\n` : '';
}

function kubeletVersion({ cluster }: FakeHost): string {
  return `Kubernetes v${cluster.config.kubernetes.version}`;
}

function patches(host: FakeHost): Said {
  const prefix = `${PATCHES_DIRECTORY}/`;
  const files = [...host.files].filter(([path]) => path.startsWith(prefix));
  return files.length === 0
    ? NO
    : said(files.map(([path, text]) => `${sha256(text)} ${path.slice(prefix.length)}\n`).join(''));
}

/** The call of kubectl that the function makes. */
function nodeObject(host: FakeHost, body: string): Said {
  const at = body.indexOf('$(kubectl ');
  const words = at < 0 ? [] : wordsOf(body, at + '$(kubectl '.length);
  const end = words.indexOf('2>&1)');
  if (end < 0) throw new Error(`a question about a node in another form: ${body}`);
  const { code, stdout, stderr } = callApi(host, words.slice(0, end), '');
  return code !== 0 && stderr.includes('(NotFound)') ? NO : { code, stdout, stderr };
}

function programOf(host: FakeHost, service: string): string {
  return service === 'containerd' ? CONTAINERD_PROGRAM : (host.files.get(`/usr/local/bin/${service}`) ?? '');
}
