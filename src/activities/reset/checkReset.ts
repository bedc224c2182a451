import { hostsOf } from '../../cluster/types.js';
import { DATA_LIMIT } from '../../plan/run.js';
import { onEachHost } from '../each-host.js';
import { described, listed, type Problem, preflightError } from '../prepare/checks/problem.js';
import type { Probe, StepContext, StepImplementation } from '../types.js';
import { type Found, wipeLater } from './away.js';
import { oneHostProblems } from './one-host.js';
import { type Authority, authorityOf, foreignness, type HostLook, isBlank, lookAtOwner } from './whose.js';

/**
 * Looks at every host before anything is changed on any: whose it is, and which cannot be reached. What cannot be told is never taken for
 * a no.
 */
export const checkReset: StepImplementation = {
  withoutLease: true,

  probe: async (context) => judged(await look(context)),

  /** @throws KubewrightError KW393 to KW397, KW300 for several of them */
  async apply(context) {
    // Asked again, for a person may have mended it meanwhile.
    const { problems } = await look(context);
    if (problems.length > 0) throw preflightError(problems);
  },
};

interface Looked {
  problems: Problem[];
  /** Of the hosts that are to be given back. */
  looks: HostLook[];
  authority?: Authority;
}

async function look(context: StepContext): Promise<Looked> {
  const { wholeCluster: cluster, step } = context;
  const only = step.with?.host;
  const subjects = cluster.hosts.filter(({ name }) => only === undefined || name === only);
  // The others tell which authority the cluster has: before the one that leaves, which is not asked about itself.
  const others = hostsOf(cluster, 'control-plane').filter(({ name }) => name !== only);
  const asked = [...new Set([...others, ...subjects])];
  const all = await onEachHost(asked, (host) => lookAtOwner(context, host));
  const looks = all.filter(({ host }) => subjects.includes(host));
  const authority = authorityOf(all);
  const problems = looks.flatMap((each) => foreignness(each, cluster, authority));
  const [subject] = looks;
  if (only === undefined) problems.push(...tooManyAway(looks));
  if (only === undefined || subject === undefined || problems.length > 0) return { problems, looks, authority };
  return { problems: await oneHostProblems(context, subject), looks, authority };
}

function judged({ problems, looks, authority }: Looked): Probe {
  if (problems.length > 0) {
    const changes = problems.map(described);
    return { done: false, found: `${problems.length} problem(s)`, changes, problem: preflightError(problems) };
  }
  const away = namesOf(looks.filter((each) => each.away !== undefined));
  const blank = namesOf(looks.filter(isBlank));
  const unwritten = namesOf(looks.filter(({ owner, before }) => owner.is === 'yes' && before.is !== 'yes'));
  const found = [
    `${looks.length - away.length - blank.length} hosts of this cluster`,
    ...(blank.length > 0 ? [`nothing of it on ${listed(blank)}`] : []),
    ...(away.length > 0 ? [`${listed(away)} cannot be reached`] : []),
    ...(unwritten.length > 0 ? [`what ${listed(unwritten)} was before is written down nowhere`] : []),
  ];
  const lost = looks.flatMap((each) => (each.away === undefined ? [] : [each.host]));
  const data: Found = {
    away,
    ca: authority?.ca ?? null,
    caOf: authority?.host ?? null,
    ...(lost.length === 0 ? {} : { leftToDo: wipeLater(lost) }),
  };
  return { done: true, found: found.join('; '), changes: [], data };
}

const namesOf = (looks: HostLook[]): string[] => looks.map(({ host }) => host.name);

/** What is handed on has a limit; and where so many are silent, the network is to be looked at, not the hosts. */
function tooManyAway(looks: HostLook[]): Problem[] {
  const away = namesOf(looks.filter((each) => each.away !== undefined));
  if (away.length < looks.length && Buffer.byteLength(JSON.stringify({ away })) <= DATA_LIMIT / 2) return [];
  return [
    {
      code: 'KW398',
      what: `${away.length} of ${looks.length} hosts cannot be reached: ${looks.find((each) => each.away !== undefined)?.away ?? ''}`,
      hint: 'Look at the way to them (`kubewright ssh-check`) before you take them for lost. A host that is really gone can be left out of the file.',
    },
  ];
}
