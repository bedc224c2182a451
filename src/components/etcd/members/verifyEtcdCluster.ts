import { unknown, yes } from '../../../activities/answers.js';
import { reasonOf } from '../../../activities/kubeadm/node/node-state.js';
import { type Facts, gatherFacts } from '../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../activities/types.js';
import { awaitFaultless, type Faults, whatIsWrong } from '../../../activities/verify/await-state.js';
import type { ClusterHost } from '../../../cluster/types.js';
import { isKubewrightError, KubewrightError } from '../../../errors.js';
import { etcdHosts, etcdOf } from '../../registry/plan.js';
import type { EtcdLook } from '../../work-types.js';
import { etcdctl, type Member, memberListFunction, membersIn, quorumOf } from './members.js';
import { peerUrl } from './places.js';
import { raftFaults } from './raft-lag.js';
import { QUORUM_RECOVERY } from './remove-member.js';

const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 300;

/** Every member that cluster.yaml wants is a started, healthy voter of one and the same cluster, and there is no other. */
export const verifyEtcdCluster: StepImplementation = {
  async probe(context) {
    const faults = whatIsWrong((await look(context)).faults);
    const count = etcdHosts(context.cluster).length;
    return faults.length === 0
      ? {
          done: true,
          found: `etcd has ${count} member${count === 1 ? '' : 's'}, all of them healthy voters`,
          changes: [],
        }
      : { done: false, found: faults.join('; '), changes: ['wait for etcd to be healthy'] };
  },

  async apply(context) {
    const faults = await awaitFaultless(context, 'whether etcd is healthy', async () => (await look(context)).faults, {
      patienceMs: PATIENCE_MS,
      everyMs: LOOK_EVERY_MS,
    });
    if (faults.length === 0) return;
    throw new KubewrightError('KW476', `etcd is not healthy: ${faults.join('; ')}`, {
      hint: `Look at etcd's log on the hosts named (${etcdOf(context.cluster).log}) and at ports 2379 and 2380 between them. A member that is too much: \`etcdctl member remove\`. Without a quorum: ${QUORUM_RECOVERY}.`,
    });
  },
};

/** What is wrong with etcd, also that nobody could be asked, and whether it has a quorum. */
export async function lookAtEtcd(context: StepContext): Promise<EtcdLook> {
  const { faults, ...rest } = await look(context);
  return { faults: whatIsWrong(faults), ...rest };
}

/** Asks one host after the other until a member answers: in a healthy cluster that is one round trip. */
async function look(context: StepContext): Promise<Omit<EtcdLook, 'faults'> & { faults: Faults }> {
  const hosts = etcdHosts(context.cluster);
  const silent: Silence[] = [];
  for (const host of hosts) {
    const facts = await ask(context, host);
    const members = facts === undefined ? undefined : membersIn(facts, 'members');
    if (facts !== undefined && members?.is === 'yes') {
      const leader = leaderIn(hosts, members.value, facts);
      const seen = leader === undefined ? {} : { leader };
      return { faults: yes(clusterFaults(hosts, members.value, facts)), quorum: 'yes', asked: true, ...seen };
    }
    silent.push(facts === undefined ? UNREACHED : silenceOf(facts));
  }
  if (hosts.length === 0) return { faults: yes(['there is no etcd host']), quorum: 'no', asked: false };
  const lost = silent.filter((silence) => silence.lost).length;
  // Members that could not be asked may serve each other: without those that are lost they must be too few.
  const quorum = hosts.length - lost < quorumOf(hosts.length) ? 'no' : 'unknown';
  const why = hosts.map(({ name }, index) => `${name} ${silent[index]?.why}`);
  // A host that answers for an etcd that does not is a fault of etcd.
  const reached = silent.some((silence) => silence !== UNREACHED);
  return { faults: reached ? yes(why) : unknown(why.join('; ')), quorum, asked: lost > 0 };
}

/** Why a host brought no list of members. */
interface Silence {
  /** Whether its member does not serve, or only the question failed. */
  lost: boolean;
  /** The rest of a sentence that begins with the host's name. */
  why: string;
}

const UNREACHED: Silence = { lost: false, why: 'cannot be reached' };

/** Nobody listens, or the member has no quorum to answer with: its list is linearizable. */
const NO_SERVICE = /no etcd member takes clients there|deadline exceeded|no leader/i;
/** etcdctl also runs out of time while the member refuses its certificate. */
const NO_TRUST = /(?:x509|tls): [^"\\]+/i;

function silenceOf(facts: Facts): Silence {
  if (facts.holds('closed')) return { lost: true, why: 'does not answer: no etcd member takes clients there' };
  const answer = membersIn(facts, 'members');
  const said = answer.is === 'unknown' ? answer.why : '';
  const distrust = NO_TRUST.exec(said)?.[0];
  if (distrust !== undefined) return { lost: false, why: `does not tell its members (${distrust.trim()})` };
  const lost = NO_SERVICE.test(said);
  return { lost, why: `${lost ? 'does not answer' : 'does not tell its members'}${reasonOf(answer)}` };
}

async function ask(context: StepContext, { name }: ClusterHost): Promise<Facts | undefined> {
  const { cluster } = context;
  const script = `${memberListFunction(cluster)}if (: <>/dev/tcp/127.0.0.1/2379) 2>/dev/null; then
  ask members member_list &
  fact health ${etcdctl(cluster)} endpoint health --cluster &
  ask status ${etcdctl(cluster)} endpoint status --cluster --write-out=json &
else
  fact closed true
fi`;
  try {
    return await gatherFacts(context.hostNamed(name), script, context.signal);
  } catch (error) {
    if (isKubewrightError(error) && error.transient) return undefined;
    throw error;
  }
}

function clusterFaults(hosts: ClusterHost[], members: Member[], facts: Facts): string[] {
  const expected = new Map(hosts.map(({ name, address }) => [peerUrl(address), name]));
  const faults = members.flatMap((member) => {
    const url = member.peerUrls[0] ?? '';
    const name = expected.get(url);
    if (name === undefined) return `${member.name || url} is a member that cluster.yaml does not have`;
    expected.delete(url);
    if (!member.started) return `${name} was announced and never came`;
    return member.learner ? `${name} is a learner` : [];
  });
  faults.push(...[...expected.values()].map((name) => `${name} is no member`));
  const started = members.filter((member) => member.started).length;
  return [
    ...faults,
    ...(facts.holds('health') ? [] : ['not every member answers']),
    ...identityFaults(facts, started),
    ...raftFaults(hosts, facts.text('status')),
  ];
}

/**
 * Whose member leads, as all members say that tell; undefined where they do not agree, as during an election. A member of no host has
 * its own name.
 */
function leaderIn(hosts: ClusterHost[], members: Member[], facts: Facts): string | undefined {
  // Of 64 bits, too: decimal there, and hexadecimal in the list. 0 is no leader.
  const told = [...facts.text('status').matchAll(/"leader":(\d+)/g)].map(([, id = '']) => id);
  const [leader, ...others] = new Set(told);
  if (leader === undefined || leader === '0' || others.length > 0) return undefined;
  const id = BigInt(leader).toString(16);
  const member = members.find((each) => each.id === id);
  return hosts.find((host) => member?.peerUrls.includes(peerUrl(host.address)))?.name ?? member?.name;
}

/** Every member has to tell which cluster it belongs to: one that does not may be another cluster's. */
function identityFaults(facts: Facts, started: number): string[] {
  // Numbers of 64 bits: too long for JSON.parse.
  const told = [...facts.text('status').matchAll(/"cluster_id":(\d+)/g)].map(([, id]) => id);
  if (new Set(told).size > 1) return ['members belong to different clusters'];
  if (told.length >= started || !facts.holds('health')) return [];
  const why = reasonOf(facts.answer('status', ''));
  return [`only ${told.length} of ${started} members tell which cluster they belong to${why}`];
}
