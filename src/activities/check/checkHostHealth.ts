import type { Sight } from '../../plan/sight.js';
import { hostOf } from '../prepare/target.js';
import { gatherFacts } from '../remote-facts.js';
import { judgeClock } from './host/clock.js';
import type { LookedAt } from './host/concern.js';
import { CONCERNS } from './host/concerns.js';
import { together } from './host/findings.js';
import { hostScript } from './host/script.js';
import { lookOnly } from './look-only.js';

/**
 * Looks at one host, whatever its role, in one round trip: services, static pods, its member of etcd, disks, certificates, the
 * kernel's log, connection tracking, settings that are no longer as they were made, snapshots of etcd, and its clock. What it has seen of
 * disks and of etcd is judged by what checks before have seen.
 */
export const checkHostHealth = lookOnly(async (context) => {
  const at: LookedAt = { cluster: context.cluster, host: hostOf(context), before: context.before };
  const sentAt = Date.now();
  const facts = await gatherFacts(context.host, hostScript(at, CONCERNS), context.signal);
  const answers = { facts, sentAt, answeredAt: Date.now() };
  const faults = [...CONCERNS.flatMap((concern) => concern.judge(at, answers)), ...judgeClock(answers)];
  // Each tells of something else.
  const seen: Sight = Object.assign({}, ...CONCERNS.map((concern) => concern.sees?.(at, answers)));
  return {
    findings: together(at.host.name, faults),
    found: `nothing is wrong on ${at.host.name}`,
    ...(Object.keys(seen).length === 0 ? {} : { seen }),
  };
});
