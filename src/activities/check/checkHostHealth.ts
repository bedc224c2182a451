import { setTimeout as pause } from 'node:timers/promises';
import { hostOf } from '../prepare/target.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import { judgeClock } from './host/clock.js';
import type { Answers, Concern, Fault, LookedAt } from './host/concern.js';
import { CONCERNS } from './host/concerns.js';
import { together } from './host/findings.js';
import { hostScript } from './host/script.js';
import { lookOnly } from './look-only.js';

/** A service that restarts, and a process that its kubelet starts anew, are there by then. */
const SECOND_LOOK_MS = 3_000;

/**
 * Looks at one host, whatever its role, in one round trip: services, static pods, its member of etcd, disks, certificates, the
 * kernel's log, connection tracking, settings that are no longer as they were made, and its clock. What may pass by itself is a
 * finding when a second look finds it, too.
 */
export const checkHostHealth = lookOnly(async (context) => {
  const at: LookedAt = { cluster: context.cluster, host: hostOf(context) };
  const faults = await lookTwice(context, at);
  return { findings: together(at.host.name, faults), found: `nothing is wrong on ${at.host.name}` };
});

async function lookTwice(context: StepContext, at: LookedAt): Promise<Fault[]> {
  const first = await ask(context, at, CONCERNS);
  const amiss = CONCERNS.filter((concern) => concern.passes === true && concern.judge(at, first).length > 0);
  const isClockAmiss = judgeClock(first).length > 0;
  const second =
    amiss.length > 0 || isClockAmiss
      ? await pause(SECOND_LOOK_MS, undefined, { signal: context.signal }).then(() => ask(context, at, amiss))
      : first;
  const faults = CONCERNS.flatMap((concern) => concern.judge(at, amiss.includes(concern) ? second : first));
  return [...faults, ...(isClockAmiss ? judgeClock(second) : [])];
}

async function ask(context: StepContext, at: LookedAt, concerns: readonly Concern[]): Promise<Answers> {
  const sentAt = Date.now();
  const facts = await gatherFacts(context.host, hostScript(at, concerns), context.signal);
  return { facts, sentAt, answeredAt: Date.now() };
}
