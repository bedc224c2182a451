import { requireKnown } from '../../../../activities/answers.js';
import { hostOf } from '../../../../activities/prepare/target.js';
import { type Facts, gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import type { ClusterHost } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { quote } from '../../../../hosts/shell.js';
import { etcdHosts, etcdOf } from '../../../registry/plan.js';
import { authorityPaths, caPathOn, issuedClient, leastDays } from '../pki.js';
import { renderEtcdMember } from '../render/member.js';
import { caFault, certificateFacts, pairFaults, shortFingerprint } from './certificates.js';

/**
 * etcd's certificate authority on the first etcd host. Its key stays there, and nowhere else; who keeps it in a safer
 * place may take it away when all certificates are made.
 */
export const createEtcdAuthority: StepImplementation = {
  async probe(context) {
    const facts = await lookAtAuthority(context);
    const faults = authorityFaults(context, facts);
    const whereKey = facts.holds('ca-key')
      ? `its key is ${authorityPaths(context.cluster).key} there and nowhere else: back it up`
      : `its key is kept elsewhere`;
    const found = `etcd's CA is on ${context.host.name} (${shortFingerprint(facts.text('ca'))}); ${whereKey}`;
    return faults.length === 0
      ? { done: true, found, changes: [] }
      : {
          done: false,
          found: faults.join('; '),
          changes: ["create etcd's CA and the API servers' client certificate"],
        };
  },

  async apply(context) {
    await refuseSecondAuthority(context);
    const host = hostOf(context);
    const { cluster } = context;
    const certificatesDirectory = etcdOf(cluster).pki;
    const config = renderEtcdMember(cluster, host, {
      members: etcdHosts(cluster),
      state: 'new',
      certificatesDirectory,
    });
    const { base } = issuedClient(cluster);
    const script = `set -eu
umask 077
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
printf %s ${quote(config)} >"$directory/kubeadm.yaml"
kubeadm init phase certs etcd-ca --config="$directory/kubeadm.yaml"
# One that is there but damaged would stop kubeadm.
rm -f ${base}.crt ${base}.key
kubeadm init phase certs apiserver-etcd-client --config="$directory/kubeadm.yaml"
`;
    await context.host.run(script, { signal: context.signal, timeoutMs: 60_000 });
  },
};

function lookAtAuthority(context: StepContext): Promise<Facts> {
  const { ca, key } = authorityPaths(context.cluster);
  const script = `${certificateFacts(ca, [issuedClient(context.cluster)])}fact ca-key test -e ${key}
fact ca-key-digest key_digest ${key}`;
  return gatherFacts(context.host, script, context.signal);
}

function authorityFaults({ cluster }: StepContext, facts: Facts): string[] {
  const { ca, key } = authorityPaths(cluster);
  const fault = caFault(ca, facts.text('ca'));
  if (fault !== undefined) return [fault];
  const open = facts.holds('ca-key') && !facts.holds('ca-key-digest') ? [`${key} is not root's alone`] : [];
  return [...open, ...pairFaults(facts, [issuedClient(cluster)], { ca, leastDays: leastDays(cluster) })];
}

/**
 * A second CA would shut out every member and API server that knows the first. So where this host has none but another
 * one knows one, this host was replaced: only the backed up key helps.
 *
 * @throws KubewrightError KW471
 */
async function refuseSecondAuthority(context: StepContext): Promise<void> {
  const self = context.host.name;
  const others = context.cluster.hosts.filter(
    ({ name, role }) => name !== self && role !== 'worker' && role !== 'director',
  );
  const [own, ...known] = await Promise.all([hostOf(context), ...others].map((host) => ask(context, host)));
  const elsewhere = known.filter(({ ca }) => ca !== undefined && ca !== own?.ca).map(({ name }) => name);
  const keyIsGone = own?.ca !== undefined && !own.hasKey;
  if (elsewhere.length === 0 && !keyIsGone) return;
  const what = keyIsGone
    ? "certificates have to be made, and the key of etcd's CA is not here"
    : `etcd has a CA, known to ${elsewhere.join(', ')}, and it is not on this host`;
  const { ca, key } = authorityPaths(context.cluster);
  throw new KubewrightError('KW471', what, {
    host: self,
    hint: `Put your backup of ca.crt and ca.key back to ${ca} and ${key} (mode 0600, root), then retry the step.`,
  });
}

/** Which CA a host knows. @throws KubewrightError KW433 (transient) when it does not tell */
async function ask(context: StepContext, host: ClusterHost): Promise<{ name: string; ca?: string; hasKey: boolean }> {
  const { cluster } = context;
  const { name } = host;
  const script = `ask ca content ${caPathOn(cluster, host)}\nask ca-key exists ${authorityPaths(cluster).key}`;
  const facts = await gatherFacts(context.hostNamed(name), script, context.signal);
  const ca = requireKnown(facts.answer('ca', `${name} knows no CA of etcd`), "whether it knows etcd's CA", name);
  const key = requireKnown(facts.answer('ca-key', `${name} has no key`), "whether it has the key of etcd's CA", name);
  return { name, ca: ca.is === 'yes' ? ca.value : undefined, hasKey: key.is === 'yes' };
}
