import { X509Certificate } from 'node:crypto';
import type { ClusterHost } from '../../cluster/types.js';
import { quote } from '../../hosts/shell.js';
import { type Answer, refine, unknown, yes } from '../answers.js';
import type { ReadyControlPlane } from '../kubeadm/control-plane.js';
import { CA_CERTIFICATE } from '../kubeadm/node/api-get.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import { type SigningRequest, userOf } from './judge.js';

/** Where the kubelet keeps certificate and key, in one file. */
const SERVING = '/var/lib/kubelet/pki/kubelet-server-current.pem';

/** What keeps the certificate that a kubelet serves with from being a whole one; undefined where nothing does. */
export async function servingFault(
  context: StepContext,
  host: ClusterHost,
  now = Date.now(),
): Promise<string | undefined> {
  // The certificate alone: its key stands behind it in the file.
  const script = `certificate() { sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p' "$1"; }
fact serving certificate ${SERVING}
fact ca cat ${CA_CERTIFICATE}`;
  const facts = await gatherFacts(context.hostNamed(host.name), script, context.signal);
  const [serving, ca] = [parse(facts.text('serving')), parse(facts.text('ca'))];
  if (serving === undefined) return 'its kubelet has no certificate of the cluster to serve with';
  if (ca === undefined) return `${CA_CERTIFICATE} is missing`;
  if (!serving.checkIssued(ca) || !serving.verify(ca.publicKey))
    return 'the certificate of its kubelet is of another CA';
  if (serving.checkHost(host.name) === undefined && serving.checkIP(host.address) === undefined)
    return `the certificate of its kubelet names neither ${host.name} nor ${host.address}`;
  return Date.parse(serving.validTo) <= now
    ? `the certificate of its kubelet has ended on ${serving.validTo}`
    : undefined;
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** One request a line, a tab between its fields; the request itself is PEM in base64. */
const FIELDS = [
  '.metadata.name',
  '.spec.username',
  '.spec.groups',
  '.spec.usages',
  '.status.conditions[*].type',
  '.spec.request',
]
  .map((field) => `{${field}}`)
  .join('{"\\t"}');

/**
 * Requests that nobody has decided about; approved and denied ones are not among them.
 * @param host whose; left out: all nodes'
 */
export async function pendingRequests(
  context: StepContext,
  via: ReadyControlPlane,
  host?: ClusterHost,
): Promise<Answer<SigningRequest[]>> {
  const template = quote(`jsonpath={range .items[*]}${FIELDS}{"\\n"}{end}`);
  const script = `pending() {
  local kw_all
  kw_all=$(${via.kubectl} get certificatesigningrequests --field-selector=spec.signerName=kubernetes.io/kubelet-serving -o ${template}) || return 1
  ${host === undefined ? 'echo "$kw_all"' : `grep -F ${quote(`\t${userOf(host)}\t`)} <<<"$kw_all" || true`}
}
ask pending pending`;
  const facts = await gatherFacts(via.remote, script, context.signal);
  return refine(facts.answer('pending', 'there is none'), (text) => {
    try {
      const all = text.split('\n').filter(Boolean).map(parseLine);
      return yes(all.filter(({ decided }) => !decided).map(({ request }) => request));
    } catch {
      return unknown('what the API has as certificate signing requests cannot be read');
    }
  });
}

function parseLine(line: string): { request: SigningRequest; decided: boolean } {
  const [name, username = '', groups = '', usages = '', conditions = '', request] = line.split('\t');
  if (!name || request === undefined) throw new SyntaxError('it is not whole');
  const pem = Buffer.from(request, 'base64').toString('latin1');
  return {
    request: { name, username, groups: JSON.parse(groups), usages: JSON.parse(usages), request: pem },
    decided: conditions !== '',
  };
}
