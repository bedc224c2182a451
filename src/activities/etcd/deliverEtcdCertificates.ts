import { type ClusterHost, etcdHosts } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import type { RemoteHost } from '../../hosts/types.js';
import { renderEtcdMember } from '../../render/etcd.js';
import { hostOf } from '../prepare/target.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';
import { type CertificatePair, certificateFacts, ETCD_CA, ETCD_CA_KEY, ETCD_PKI, pairFaults } from './certificates.js';

const NAMES = ['server', 'peer', 'healthcheck-client'] as const;

/**
 * The certificates of one etcd member: made beside the CA's key, on the first etcd host, in memory (/run), and brought
 * over through the worker. etcd reads them anew at each connection, so a running member needs no restart.
 */
export const deliverEtcdCertificates: StepImplementation = {
  async probe(context) {
    const pairs = pairsOf(hostOf(context));
    const facts = await gatherFacts(context.host, certificateFacts(pairs), context.signal);
    const faults = pairFaults(facts, pairs);
    return faults.length === 0
      ? { done: true, found: 'the etcd certificates are there, valid and fit their keys', changes: [] }
      : { done: false, found: faults.join('; '), changes: ['make etcd certificates and bring them over'] };
  },

  async apply(context) {
    const host = hostOf(context);
    const authority = authorityOf(context);
    const directory = `/run/kubewright/etcd-certificates-${host.name}`;
    try {
      await make(context, authority, host, directory);
      await bring(context, authority, directory);
    } finally {
      await authority.run(`rm -rf ${quote(directory)}`);
    }
  },
};

function pairsOf(host: ClusterHost): CertificatePair[] {
  const own = [host.name, host.address, 'localhost', '127.0.0.1'];
  return NAMES.map((name) => ({ base: `${ETCD_PKI}/${name}`, names: name === 'healthcheck-client' ? [] : own }));
}

/** The host with the CA's key. */
export function authorityOf(context: StepContext): RemoteHost {
  const [first] = etcdHosts(context.cluster);
  // The plan has no etcd steps without etcd hosts: a programming error, not a user's.
  if (first === undefined) throw new Error('the cluster has no etcd hosts');
  return context.hostNamed(first.name);
}

async function make(context: StepContext, authority: RemoteHost, host: ClusterHost, directory: string): Promise<void> {
  const { cluster, signal } = context;
  const config = renderEtcdMember(cluster, host, {
    members: etcdHosts(cluster),
    state: 'new',
    certificatesDirectory: directory,
  });
  const script = `set -eu
umask 077
[ -e ${ETCD_CA_KEY} ] || exit 44
directory=${quote(directory)}
rm -rf "$directory" && mkdir -p "$directory/etcd"
ln -s ${ETCD_CA} ${ETCD_CA_KEY} "$directory/etcd/"
printf %s ${quote(config)} >"$directory/kubeadm.yaml"
for name in ${NAMES.map((name) => `etcd-${name}`).join(' ')}; do
  kubeadm init phase certs "$name" --config="$directory/kubeadm.yaml"
done
`;
  const result = await authority.run(script, { signal, allowFailure: true, timeoutMs: 60_000 });
  if (result.exitCode === 0) return;
  if (result.exitCode === 44) throw keyIsGone(authority);
  throw new KubewrightError('KW472', `the etcd certificates of ${host.name} could not be made`, {
    host: authority.name,
    output: `${result.stdout}${result.stderr}`.trim().slice(-4000),
    hint: 'The output says why. Mend the cause there, then retry the step.',
  });
}

function keyIsGone(authority: RemoteHost): KubewrightError {
  return new KubewrightError('KW471', "the key of etcd's CA is not there, and certificates are to be made", {
    host: authority.name,
    hint: `Put your backup of it back to ${ETCD_CA_KEY} (mode 0600, root), then retry the step.`,
  });
}

async function bring(context: StepContext, authority: RemoteHost, directory: string): Promise<void> {
  const names = ['ca.crt', ...NAMES.flatMap((name) => [`${name}.crt`, `${name}.key`])];
  await Promise.all(
    names.map((name) => copyFile(authority, `${directory}/etcd/${name}`, context.host, `${ETCD_PKI}/${name}`)),
  );
}

/** Host to host through this process's memory. Keys are root's alone. @throws KubewrightError KW473 */
export async function copyFile(from: RemoteHost, source: string, to: RemoteHost, target: string): Promise<void> {
  const content = await from.readFile(source);
  if (content === undefined) {
    throw new KubewrightError('KW473', `${source} is not there`, {
      host: from.name,
      hint: `It was there a moment ago, or an earlier step has to make it: retry the step, and look at ${from.name} if it stays away.`,
    });
  }
  // No backup: a copy of a key is one key too many.
  await to.writeFile(target, content, { mode: target.endsWith('.key') ? 0o600 : 0o644, backup: false });
}
