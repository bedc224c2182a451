import { requireKnown } from '../../../../activities/answers.js';
import { hostOf } from '../../../../activities/prepare/target.js';
import { type Facts, gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { KubewrightError } from '../../../../errors.js';
import { quote } from '../../../../hosts/shell.js';
import { etcdHosts } from '../../../registry/plan.js';
import { ETCD_CLIENT_FILES } from '../../members/places.js';
import { renderEtcdMember } from '../render/member.js';
import { caFault, certificateFacts, ETCD_CA, ETCD_CA_KEY, pairFaults, shortFingerprint } from './certificates.js';

/** The API servers' certificate for etcd, kept where it was made: from here it goes to each control plane. */
export const CLIENT_PAIR = { base: ETCD_CLIENT_FILES.certificate.replace(/\.crt$/, ''), names: [] };

/**
 * etcd's certificate authority on the first etcd host. Its key stays there, and nowhere else; who keeps it in a safer
 * place may take it away when all certificates are made.
 */
export const createEtcdAuthority: StepImplementation = {
  async probe(context) {
    const facts = await lookAtAuthority(context);
    const faults = authorityFaults(facts);
    const whereKey = facts.holds('ca-key')
      ? `its key is ${ETCD_CA_KEY} there and nowhere else: back it up`
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
    const config = renderEtcdMember(context.cluster, host, { members: etcdHosts(context.cluster), state: 'new' });
    const script = `set -eu
umask 077
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
printf %s ${quote(config)} >"$directory/kubeadm.yaml"
kubeadm init phase certs etcd-ca --config="$directory/kubeadm.yaml"
# One that is there but damaged would stop kubeadm.
rm -f ${ETCD_CLIENT_FILES.certificate} ${ETCD_CLIENT_FILES.key}
kubeadm init phase certs apiserver-etcd-client --config="$directory/kubeadm.yaml"
`;
    await context.host.run(script, { signal: context.signal, timeoutMs: 60_000 });
  },
};

function lookAtAuthority(context: StepContext): Promise<Facts> {
  const script = `${certificateFacts([CLIENT_PAIR])}fact ca-key test -e ${ETCD_CA_KEY}
fact ca-key-digest key_digest ${ETCD_CA_KEY}`;
  return gatherFacts(context.host, script, context.signal);
}

function authorityFaults(facts: Facts): string[] {
  const fault = caFault(facts.text('ca'));
  if (fault !== undefined) return [fault];
  const key = facts.holds('ca-key') && !facts.holds('ca-key-digest') ? [`${ETCD_CA_KEY} is not root's alone`] : [];
  return [...key, ...pairFaults(facts, [CLIENT_PAIR])];
}

/**
 * A second CA would shut out every member and API server that knows the first. So where this host has none but another
 * one knows one, this host was replaced: only the backed up key helps.
 *
 * @throws KubewrightError KW471
 */
async function refuseSecondAuthority(context: StepContext): Promise<void> {
  const self = context.host.name;
  const others = context.cluster.hosts.filter(({ name, role }) => name !== self && role !== 'worker');
  const [own, ...known] = await Promise.all(
    [self, ...others.map(({ name }) => name)].map((name) => ask(context, name)),
  );
  const elsewhere = known.filter(({ ca }) => ca !== undefined && ca !== own?.ca).map(({ name }) => name);
  const keyIsGone = own?.ca !== undefined && !own.hasKey;
  if (elsewhere.length === 0 && !keyIsGone) return;
  const what = keyIsGone
    ? "certificates have to be made, and the key of etcd's CA is not here"
    : `etcd has a CA, known to ${elsewhere.join(', ')}, and it is not on this host`;
  throw new KubewrightError('KW471', what, {
    host: self,
    hint: `Put your backup of ca.crt and ca.key back to ${ETCD_CA} and ${ETCD_CA_KEY} (mode 0600, root), then retry the step.`,
  });
}

/** Which CA a host knows. @throws KubewrightError KW433 (transient) when it does not tell */
async function ask(context: StepContext, name: string): Promise<{ name: string; ca?: string; hasKey: boolean }> {
  const script = `ask ca content ${ETCD_CA}\nask ca-key exists ${ETCD_CA_KEY}`;
  const facts = await gatherFacts(context.hostNamed(name), script, context.signal);
  const ca = requireKnown(facts.answer('ca', `${name} knows no CA of etcd`), "whether it knows etcd's CA", name);
  const key = requireKnown(facts.answer('ca-key', `${name} has no key`), "whether it has the key of etcd's CA", name);
  return { name, ca: ca.is === 'yes' ? ca.value : undefined, hasKey: key.is === 'yes' };
}
