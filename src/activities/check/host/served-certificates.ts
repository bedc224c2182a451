import { apiServerPort, chosenPorts } from '../../../cluster/chosen-ports.js';
import { isNode } from '../../../cluster/roles.js';
import { ETCD_CLIENT_PORT, ETCD_PEER_PORT } from '../../../components/etcd/members/places.js';
import { etcdOf, holdsMember } from '../../../components/registry/plan.js';
import { quote } from '../../../hosts/shell.js';
import { endpointOf } from '../../../render/kubeadm.js';
import { SAYS_NO } from '../../remote-facts.js';
import { CERTIFICATES_QUESTION, PUBLIC_CERTIFICATES } from './certificates.js';
import { type Concern, couldNotLook, type Fault, type LookedAt, listed, QUESTION_SECONDS } from './concern.js';
import { type Validity, validity, warnFrom, when } from './validity.js';

/** Somewhere on the host that a certificate is shown to whoever connects. */
interface Server {
  /** Name of the question. */
  question: string;
  /** What people call it. */
  name: string;
  /** `ADDRESS:PORT`. */
  at: string;
  /** Certificate and key for a server that wants those of its clients: without them etcd's log has a line for each look. */
  client?: string;
  /** Another look asks the same place, and tells when nothing answers there. */
  toldElsewhere?: true;
  /** How it comes to serve another certificate. */
  remedy: string;
}

/**
 * Bash: `presented ADDRESS:PORT [FILE]` prints the certificate that is shown there, in base64; `FILE.crt` and `FILE.key` are the
 * client's, where they are there. No is only that nobody listens,
 * which the looks at services and static pods tell.
 */
const FUNCTIONS = `${PUBLIC_CERTIFICATES}
presented() {
  local kw_said kw_der kw_client=()
  [ -z "$2" ] || ! [ -r "$2.crt" ] || ! [ -r "$2.key" ] || kw_client=(-cert "$2.crt" -key "$2.key")
  kw_said=$(timeout ${QUESTION_SECONDS - 1} openssl s_client -connect "$1" "\${kw_client[@]}" 2>&1 </dev/null)
  kw_der=$(public_certificates <<<"$kw_said")
  if [ -n "$kw_der" ]; then echo "$kw_der"; return 0; fi
  case $kw_said in *'Connection refused'*) return ${SAYS_NO} ;; esac
  printf '%s\\n' "\${kw_said:-no answer}" | tail -n 1 >&2
  return 1
}`;

/**
 * The certificates that programs show, which end on a day of their own where a program has not read its file anew, or has no file:
 * kube-scheduler and kube-controller-manager make theirs when they start, and a kubelet makes one for a year.
 */
export const servedCertificates: Concern = {
  questions(at) {
    const servers = serversOf(at);
    if (servers.length === 0) return '';
    const asked = servers.map(({ question, at, client }) =>
      ['ask', question, 'presented', quote(at), ...(client === undefined ? [] : [client]), '&'].join(' '),
    );
    return `${FUNCTIONS}\n${asked.join('\n')}`;
  },

  judge(at, { facts, answeredAt }) {
    const files = facts.answer(CERTIFICATES_QUESTION, '');
    const inFiles = files.is === 'yes' ? files.value : '';
    const ending: Ending[] = [];
    const unknown: Fault[] = [];
    for (const server of serversOf(at)) {
      const answer = facts.answer(server.question, '');
      if (answer.is === 'no' || (answer.is === 'unknown' && server.toldElsewhere)) continue;
      const der = answer.is === 'yes' ? answer.value.trim() : '';
      const valid = validity(der);
      if (valid === undefined) {
        const why = answer.is === 'unknown' ? answer.why : 'it cannot be read';
        unknown.push(couldNotLook(`the certificate of ${server.name} at ${server.at}`, why));
      } else if (!inFiles.includes(` ${der}`) && warnFrom(valid, { renewsItself: true }) < answeredAt) {
        ending.push({ server, valid });
      }
    }
    return [...faultOf(ending, answeredAt, files.is !== 'unknown'), ...unknown];
  },
};

interface Ending {
  server: Server;
  valid: Validity;
}

/** @param filesKnown whether the files could be read: else nobody knows whether a certificate is in one of them */
function faultOf(ending: Ending[], now: number, filesKnown: boolean): Fault[] {
  if (ending.length === 0) return [];
  const sorted = [...ending].sort((a, b) => a.valid.to - b.valid.to);
  const names = sorted.map(({ server, valid }) => `${server.name} at ${server.at} ${when(valid.to, now)}`);
  const remedies = [...new Set(sorted.map(({ server }) => server.remedy))];
  const which = filesKnown ? 'are in no file, and that ' : '';
  const evidence = `programs show certificates that ${which}end soon or have ended: ${listed(names, 4)}`;
  return [{ code: 'KW664', evidence, hint: remedies.join(' ') }];
}

const POD =
  'A static pod reads or makes its certificate when it starts: `crictl ps` names its container, `crictl stop ID` has the kubelet start it anew, on one host at a time.';
const KUBELET =
  "A kubelet's own certificate: move kubelet.crt and kubelet.key in /var/lib/kubelet/pki to another folder and restart the kubelet, which makes new ones.";
const BALANCER = 'What is in front of the API servers ends TLS itself: renew the certificate there.';
const UNIT = '`systemctl restart kubewright-etcd`, on one host at a time, has etcd read its files.';

function serversOf({ cluster, host }: LookedAt): Server[] {
  const { role, address } = host;
  const etcd = etcdOf(cluster);
  const client = `${etcd.pki}/etcd/peer`;
  const remedy = cluster.etcd.runner === 'systemd' ? UNIT : POD;
  const kubelet = chosenPorts(cluster).kubelet;
  const ofEtcd: Server[] = [
    { question: 'served-etcd', name: 'etcd', at: `${address}:${ETCD_CLIENT_PORT}`, client, remedy },
    { question: 'served-peer', name: 'etcd (for its peers)', at: `${address}:${ETCD_PEER_PORT}`, client, remedy },
  ];
  return [
    ...(role === 'control-plane' ? controlPlaneServers({ cluster, host }) : []),
    ...(holdsMember(cluster, role) ? ofEtcd : []),
    ...(isNode(role)
      ? [{ question: 'served-kubelet', name: 'the kubelet', at: `${address}:${kubelet}`, remedy: KUBELET }]
      : []),
  ];
}

function controlPlaneServers({ cluster, host }: LookedAt): Server[] {
  const api = `${host.address}:${apiServerPort(cluster)}`;
  const endpoint = endpointOf(cluster);
  return [
    { question: 'served-api', name: 'kube-apiserver', at: api, remedy: POD },
    ...(endpoint === api
      ? []
      : [
          {
            question: 'served-endpoint',
            name: 'the API',
            at: endpoint,
            toldElsewhere: true as const,
            remedy: BALANCER,
          },
        ]),
    { question: 'served-controllers', name: 'kube-controller-manager', at: '127.0.0.1:10257', remedy: POD },
    { question: 'served-scheduler', name: 'kube-scheduler', at: '127.0.0.1:10259', remedy: POD },
  ];
}
