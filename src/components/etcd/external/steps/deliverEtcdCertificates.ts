import { hostOf } from '../../../../activities/prepare/target.js';
import { gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { etcdHosts, etcdOf } from '../../../registry/plan.js';
import { accountFact, ensureAccount } from '../account.js';
import { authorityPaths, leastDays, memberPairs, memberPki } from '../pki.js';
import { renderEtcdMember } from '../render/member.js';
import { type Authority, DIRECTORY, makeCertificates, placeFiles } from './certificate-files.js';
import { certificateFacts, pairFaults } from './certificates.js';

const NAMES = ['server', 'peer', 'healthcheck-client'] as const;

/**
 * The certificates of one etcd member: made beside the CA's key, on the first etcd host, in memory (/run), and brought
 * over through the worker. etcd reads them anew at each connection, so a running member needs no restart.
 */
export const deliverEtcdCertificates: StepImplementation = {
  async probe(context) {
    const { cluster } = context;
    const { ca } = authorityPaths(cluster);
    const pairs = memberPairs(cluster, hostOf(context));
    const { account } = etcdOf(cluster);
    const script = `${certificateFacts(ca, pairs)}${account === null ? '' : accountFact(account)}`;
    const facts = await gatherFacts(context.host, script, context.signal);
    const faults = [
      ...(account === null || facts.holds('account') ? [] : [`there is no account ${account}`]),
      ...pairFaults(facts, pairs, { ca, leastDays: leastDays(cluster) }),
    ];
    return faults.length === 0
      ? { done: true, found: 'the etcd certificates are there, valid and fit their keys', changes: [] }
      : { done: false, found: faults.join('; '), changes: ['make etcd certificates and bring them over'] };
  },

  async apply(context) {
    const { cluster, signal } = context;
    const host = hostOf(context);
    const config = renderEtcdMember(cluster, host, {
      members: etcdHosts(cluster),
      state: 'new',
      certificatesDirectory: DIRECTORY,
    });
    const made = await makeCertificates(authorityOf(context), host.name, config, NAMES, signal);
    const { account } = etcdOf(cluster);
    if (account !== null) await ensureAccount(context, account);
    const owners = new Map(memberPairs(cluster, host).map(({ base, owner }) => [`${base}.key`, owner]));
    const files = [...made].map(([name, content]) => {
      const path = `${memberPki(cluster)}/${name}`;
      return { path, content, owner: owners.get(path) };
    });
    await placeFiles(context.host, files, signal);
  },
};

/** The host with the CA's key. */
export function authorityOf(context: StepContext): Authority {
  const [first] = etcdHosts(context.cluster);
  // The plan has no etcd steps without etcd hosts: a programming error, not a user's.
  if (first === undefined) throw new Error('the cluster has no etcd hosts');
  return { host: context.hostNamed(first.name), ...authorityPaths(context.cluster) };
}
