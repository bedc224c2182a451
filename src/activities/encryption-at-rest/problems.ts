import { ENCRYPTION_PATH } from '../../cluster/security/paths.js';
import type { Cluster } from '../../cluster/types.js';
import { listed, type Problem } from '../prepare/checks/problem.js';
import type { StepContext } from '../types.js';
import { type KeyLook, lookAtKeys } from './look.js';

/** What stands in the way of encryption at rest, before anything is changed anywhere. */
export async function encryptionProblems(context: StepContext): Promise<Problem[]> {
  if (context.cluster.security?.secretsEncryption === undefined) return [];
  return problemsOfKeys(context.cluster, await lookAtKeys(context));
}

/** The same of what was seen; pure. What a host did not tell is for other checks to say. */
export function problemsOfKeys(cluster: Pick<Cluster, 'security'>, looks: KeyLook[]): Problem[] {
  const lost = lostKey(looks);
  return lost === undefined ? [...differingKeys(looks), ...otherProvider(cluster, looks)] : [lost];
}

/** The cluster's Secrets are encrypted, and nobody has what they were encrypted with. */
function lostKey(looks: KeyLook[]): Problem | undefined {
  const encrypting = looks.filter(({ encrypts }) => encrypts).map(({ host }) => host.name);
  if (encrypting.length === 0 || looks.some(({ digest }) => digest.is !== 'no')) return undefined;
  return {
    code: 'KW382',
    what: `the cluster encrypts its Secrets, and the key is lost: no control plane has ${ENCRYPTION_PATH}`,
    hint: `Put a backup of this file back on one of ${listed(encrypting)} (mode 0600, root): the others get it from there. A new key could read none of the Secrets that are in etcd, so none is made.`,
    hosts: encrypting,
  };
}

function differingKeys(looks: KeyLook[]): Problem[] {
  const byDigest = new Map<string, string[]>();
  for (const { digest, host } of looks) {
    if (digest.is === 'yes') byDigest.set(digest.value, [...(byDigest.get(digest.value) ?? []), host.name]);
  }
  if (byDigest.size < 2) return [];
  const groups = [...byDigest].map(([digest, names]) => `${listed(names)} (${digest.slice(0, 12)}…)`);
  if (looks.some(({ rotating }) => rotating)) return [unfinished(groups, [...byDigest.values()].flat())];
  return [
    {
      code: 'KW383',
      what: `control planes have different files ${ENCRYPTION_PATH}: ${groups.join('; ')}`,
      hint: 'An API server cannot read what another one wrote with another key. Copy the right file, the one of the API servers that run, to all of them; remove it from hosts that were never part of this cluster.',
      hosts: [...byDigest.values()].flat(),
    },
  ];
}

/** Both keys are on all of them or on their way there, and the rotation knows which. */
function unfinished(groups: string[], hosts: string[]): Problem {
  return {
    code: 'KW385',
    what: `a rotation of the key of encryption at rest was begun and is not at its end: ${groups.join('; ')}`,
    hint: '`kubewright rotate-encryption-key cluster.yaml` goes on with it. Where a control plane is lost for good meanwhile, copy the file of a control plane that has two keys to all others first.',
    hosts,
  };
}

/** The file on the hosts is what is used: what it was made for stays. */
function otherProvider({ security }: Pick<Cluster, 'security'>, looks: KeyLook[]): Problem[] {
  const wanted = security?.secretsEncryption;
  const others = looks.filter(({ digest, providers }) => digest.is === 'yes' && providers[0] !== wanted);
  if (others.length === 0) return [];
  const has = others[0]?.providers[0] ?? 'no provider that is known';
  return [
    {
      code: 'KW384',
      what: `${listed(others.map(({ host }) => host.name))} encrypt with ${has}, and the file asks for ${wanted}`,
      hint: `Install does not encrypt anew what is there: write secretsEncryption: ${has} into cluster.yaml. On hosts that were never part of this cluster remove ${ENCRYPTION_PATH}.`,
      hosts: others.map(({ host }) => host.name),
    },
  ];
}
