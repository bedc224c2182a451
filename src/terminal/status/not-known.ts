import type { ClusterStatus } from '../../engine/index.js';
import { aboutLook } from '../../plan/findings.js';
import type { NotKnown } from '../json/status.js';
import type { ComparedFile } from './summary.js';

/** What `status` could not see of a cluster, and why: that nothing is shown must not look as if there was nothing. Pure. */
export function unseen(status: ClusterStatus, file: ComparedFile | undefined): NotKnown[] {
  const { unread, health, givenBackAt } = status;
  const all: (NotKnown | undefined)[] = [
    because('which operation changes it, or has changed it last', unread.operation),
    because('health', health.unread?.checks),
    because('whether checks are scheduled, and whether they still come', health.unread?.schedule),
    because('what the last drill has measured', unread.drill),
    because('whether drills are scheduled, and whether they still come', unread.drills),
    ...(givenBackAt === undefined ? unseenByCheck(status) : []),
    because('what was applied', unread.applied ?? whyNotApplied(status)),
    because(`what differs from ${file?.path}`, whyNotCompared(status, file)),
  ];
  return all.filter((each) => each !== undefined);
}

function because(what: string, why: string | undefined): NotKnown | undefined {
  return why === undefined ? undefined : { what, why };
}

/** What only a look at the hosts tells, and no check has told. */
function unseenByCheck({ health: { report, unread }, applied, planned }: ClusterStatus): (NotKnown | undefined)[] {
  const cluster = applied?.cluster ?? planned;
  const holder = cluster !== undefined && !('vip' in cluster.endpoint) ? [] : ['who has the virtual IP'];
  const everything = [...holder, 'who leads etcd', 'how the nodes are'];
  // Whether there is a check is not known, which is told already.
  if (report === undefined && unread?.checks !== undefined) return [];
  if (report === undefined) return [{ what: `health, ${listed(everything)}`, why: 'no check has looked yet' }];
  const { seen } = report;
  if (seen === undefined) {
    const looks = report.findings.map(({ look = '' }) => aboutLook(look));
    const isBlind = report.verdict === 'unknown' || looks.includes('nodes') || looks.includes('etcd');
    const why = isBlind ? 'the last check could not see that' : 'the last check is of an earlier version of Kubewright';
    return [{ what: listed(everything), why }];
  }
  return [
    holder.length === 0 || seen.virtualIpHolders !== undefined
      ? undefined
      : because('who has the virtual IP', 'the last check could not ask every host that may have it'),
    seen.etcdLeader !== undefined
      ? undefined
      : because('who leads etcd', 'the last check was told of none by all members'),
    seen.nodes !== undefined ? undefined : because('how the nodes are', 'the last check could not ask for them'),
    seen.moreNodes === undefined
      ? undefined
      : because(`how ${seen.moreNodes} of the nodes are`, 'the report of the last check had no room for more'),
  ];
}

function whyNotApplied({ applied, givenBackAt }: ClusterStatus): string | undefined {
  return applied === undefined && givenBackAt === undefined
    ? 'no operation has come to its end that Temporal still knows, and no check has read the record of it'
    : undefined;
}

function whyNotCompared({ applied, givenBackAt }: ClusterStatus, file: ComparedFile | undefined): string | undefined {
  if (file === undefined || givenBackAt !== undefined) return undefined;
  return file.unread ?? (applied === undefined ? 'what was applied is not known' : undefined);
}

/** "a, b and c". */
function listed(what: string[]): string {
  return `${what.slice(0, -1).join(', ')} and ${what.at(-1)}`;
}
