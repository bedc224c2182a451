import type { Cluster, ClusterHost } from '../../cluster/types.js';
import { isKubewrightError, messageOf } from '../../errors.js';
import { OWNER_PATH, type OwnerRecord, parseOwner } from '../../render/owner.js';
import { lookUntil, notYet, seen } from '../../waiting.js';
import { type Answer, no, refine, unknown, yes } from '../answers.js';
import { APPLIED_PATH, parseApplied } from '../applied/record/applied-spec.js';
import { BEFORE_STATE } from '../before/places.js';
import { CA_CERTIFICATE } from '../kubeadm/node/api-get.js';
import { LIVED_PATHS } from '../node-leftovers.js';
import type { Problem } from '../prepare/checks/problem.js';
import { CERTIFICATE_DIGEST } from '../prepare/facts/script.js';
import { type Facts, gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';

/** What one host says of whose it is. */
export interface HostLook {
  host: ClusterHost;
  /** Why it could not be asked; missing where it was. */
  away?: string;
  /** The record of ownership: a no is the host's own, that it bears none. */
  owner: Answer<OwnerRecord>;
  /** Whether something of a node is there. */
  traces: Answer<string>;
  /** `sha256:…` of the CA certificate that is there; a no where there is none. */
  ca: Answer<string>;
  /** Name of the cluster that the applied record there is of. */
  applied: Answer<string>;
  /** Whether what the host was before is written down there. */
  before: Answer<string>;
}

/** How long a host may be silent before it counts as one that cannot be reached: it may be about to come up. */
const PATIENCE_MS = 30_000;
const POLL_MS = 3_000;

/** Asks a host whose it is. One that cannot be reached within half a minute is a finding. Changes nothing. */
export async function lookAtOwner(
  context: Pick<StepContext, 'hostNamed' | 'signal' | 'progress'>,
  host: ClusterHost,
  patienceMs = PATIENCE_MS,
): Promise<HostLook> {
  let why = '';
  const look = async () => {
    try {
      return seen(lookOf(host, await gatherFacts(context.hostNamed(host.name), QUESTIONS, context.signal)));
    } catch (error) {
      context.signal.throwIfAborted();
      // Unreachable hosts (KW2xx) and those that hang are a normal branch here; anything else is not.
      if (!isKubewrightError(error) || !error.transient) throw error;
      why = messageOf(error);
      return notYet(`waiting for ${host.name}: ${why}`);
    }
  };
  const { signal, progress } = context;
  const found = await lookUntil(look, { patienceMs, everyMs: POLL_MS, signal, progress });
  if (found !== undefined) return found;
  const silent = unknown(why);
  return { host, away: why, owner: silent, traces: silent, ca: silent, applied: silent, before: silent };
}

/** Bash that asks a host for its record of ownership, for `gatherFacts`; `ownerOf` reads the answer. */
export const OWNER_QUESTION = `ask owner content ${OWNER_PATH}
`;

const QUESTIONS = `${CERTIFICATE_DIGEST}
ca() { exists ${CA_CERTIFICATE} || return; certificate_digest ${CA_CERTIFICATE}; }
${OWNER_QUESTION}ask traces exists ${LIVED_PATHS.join(' ')}
ask ca ca
ask applied content ${APPLIED_PATH}
ask before exists ${BEFORE_STATE}
`;

/** The record of a host that was asked `OWNER_QUESTION`: a no is the host's own, that it bears none. */
export function ownerOf({ name }: ClusterHost, facts: Facts): Answer<OwnerRecord> {
  return refine(facts.answer('owner', `${name} has no ownership record`), (text) => {
    const record = parseOwner(text);
    return record === undefined ? unknown(`${OWNER_PATH} cannot be read`) : yes(record);
  });
}

function lookOf(host: ClusterHost, facts: Facts): HostLook {
  const { name } = host;
  return {
    host,
    owner: ownerOf(host, facts),
    traces: facts.answer('traces', `nothing of a cluster is on ${name}`),
    ca: refine(facts.answer('ca', `${name} has no CA certificate`), (digest) =>
      digest === '' ? unknown(`${CA_CERTIFICATE} cannot be read`) : yes(`sha256:${digest}`),
    ),
    applied: refine(facts.answer('applied', `${name} has no ${APPLIED_PATH}`), (text) => {
      const copy = parseApplied(text);
      return copy.is === 'valid' ? yes(copy.spec.cluster.name) : no('it says of no cluster');
    }),
    before: facts.answer('before', `${name} was changed before that was written down`),
  };
}

/** Whether a host says itself that nothing of a cluster is on it. */
export function isBlank({ owner, traces }: HostLook): boolean {
  return owner.is === 'no' && traces.is === 'no';
}

/** `sha256:…` of a cluster's CA certificate, and the name of the host that has recorded it. */
export interface Authority {
  ca: string;
  host: string;
}

/**
 * The authority of the cluster, as its hosts know it: what the first one has recorded, control planes before others. Undefined where none
 * has come so far.
 */
export function authorityOf(looks: readonly HostLook[]): Authority | undefined {
  const known = looks.flatMap(({ host, owner }) =>
    owner.is === 'yes' && owner.value.caFingerprint !== null
      ? [{ ca: owner.value.caFingerprint, host: host.name, leads: host.role === 'control-plane' }]
      : [],
  );
  return known.find(({ leads }) => leads) ?? known[0];
}

/**
 * Why a host may not be given back by this cluster: it is another one's, by its record, its authority or what was applied to it, or that
 * cannot be told. A host that cannot be reached, and a blank one, are no problem of this kind. Pure.
 */
export function foreignness(look: HostLook, cluster: Cluster, authority: Authority | undefined): Problem[] {
  const { host, away, owner, traces } = look;
  if (away !== undefined || isBlank(look)) return [];
  if (owner.is === 'unknown') return [cannotTell(look, 'whose it is', owner.why)];
  if (owner.is === 'no') {
    if (traces.is === 'unknown') return [cannotTell(look, 'whether a node is on it', traces.why)];
    return [neverOurs(host, `it bears no record of "${cluster.name}", and a node is on it`)];
  }
  const claimed = foreignRecord(host, owner.value, cluster, authority);
  if (claimed !== undefined) return [claimed];
  return [...otherAuthority(look, authority), ...otherApplied(look, cluster)];
}

/** Why a record of ownership is not of this host in this cluster; undefined where it is. Pure. */
export function foreignRecord(
  host: ClusterHost,
  record: OwnerRecord,
  cluster: Cluster,
  authority: Authority | undefined,
): Problem | undefined {
  if (record.cluster !== cluster.name || record.host !== host.name) {
    return foreign(host, `it is the host ${record.host} of cluster "${record.cluster}" (${record.endpoint})`);
  }
  if (authority === undefined || record.caFingerprint === null || record.caFingerprint === authority.ca)
    return undefined;
  return foreign(host, namesake(record.caFingerprint, authority));
}

/** What is on the disk of a host, besides what it bears as its record. */
function otherAuthority({ host, ca }: HostLook, authority: Authority | undefined): Problem[] {
  if (authority === undefined || ca.is !== 'yes' || ca.value === authority.ca) return [];
  return [foreign(host, namesake(ca.value, authority))];
}

function namesake(here: string, { ca, host }: Authority): string {
  return `its cluster has the name of this one and another authority than ${host} knows (${here}, not ${ca})`;
}

function otherApplied({ host, applied }: HostLook, { name }: Cluster): Problem[] {
  if (applied.is !== 'yes' || applied.value === name) return [];
  return [foreign(host, `what was applied to it is of cluster "${applied.value}"`)];
}

function foreign({ name }: ClusterHost, what: string): Problem {
  return {
    code: 'KW393',
    what: `${name} is another cluster's: ${what}`,
    hint: 'Nothing was changed. Correct the address or the name in cluster.yaml, or give the file of the cluster that the host belongs to.',
    hosts: [name],
  };
}

/** Of a host that no install of this cluster has made. */
export function neverOurs({ name }: ClusterHost, why: string): Problem {
  return {
    code: 'KW394',
    what: `${name} never belonged to this cluster: ${why}`,
    hint: 'Nothing was changed. Only what Kubewright put on a host is taken away: correct cluster.yaml, or clean that host with what has made its node.',
    hosts: [name],
  };
}

/** "I could not ask" is no answer that a reset may go by. */
export function cannotTell({ host: { name } }: Pick<HostLook, 'host'>, question: string, why: string): Problem {
  return {
    code: 'KW396',
    what: `cannot tell of ${name} ${question}: ${why}`,
    hint: 'Nothing was changed. Mend what is named, then retry the step.',
    hosts: [name],
  };
}
