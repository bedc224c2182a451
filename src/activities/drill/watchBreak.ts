import { setTimeout as pause } from 'node:timers/promises';
import { type ClusterHost, hostsOf } from '../../cluster/types.js';
import { isKubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import { findControlPlane } from '../kubeadm/control-plane.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';
import { MOVE_LIMIT_MS, takesHostAway, WATCH_LIMIT_MS } from './blows.js';
import type { Book } from './book.js';
import { chosenFor, handedOn } from './chosen.js';
import { unsteadyKinds } from './gaps.js';
import { requireBook, type Scene, sceneOf } from './scene.js';

/** Answers in a row behind a break, of each kind, after which nothing more is expected of it: five seconds. */
export const STEADY = 50;
/** What goes wrong a little later belongs to the break as well: a check of a balancer that is due, an election. */
export const LEAST_MS = 10_000;
const LOOK_EVERY_MS = 1_000;

/**
 * Waits for all that a break brings about, and writes down when it was seen: until the API answers steadily again, a node that is away
 * is NotReady and, where that was asked for, its pods were made anew elsewhere. It has an end: what was broken is put back then,
 * whatever was not seen.
 */
export const watchBreak: StepImplementation = {
  // It looks, and writes down when: a lease on a control plane that is off would be waited for before each look.
  withoutLease: true,

  async probe(context) {
    const chosen = chosenFor(context);
    if (chosen === undefined || handedOn(context, 'break') === undefined) {
      return { done: true, found: 'nothing was broken', changes: [] };
    }
    const { marks } = requireBook(await sceneOf(context, chosen).read('latest'), chosen.prober);
    if (marks.has('watched')) return { done: true, found: 'it was watched', changes: [], data: { watched: true } };
    return { done: false, found: 'it was not watched to its end', changes: ['watch'] };
  },

  async apply(context) {
    const chosen = chosenFor(context);
    if (chosen === undefined) return;
    const scene = sceneOf(context, chosen);
    for (;;) {
      const book = requireBook(await scene.read('latest'), chosen.prober);
      const waiting = await stillWaiting(context, scene, book);
      if (waiting === undefined) return await scene.note('watched');
      context.progress(waiting);
      await pause(LOOK_EVERY_MS, undefined, { signal: context.signal });
    }
  },
};

/** What is waited for; undefined when all was seen, or time is up. Bound by the book's clock, so a new worker does not begin anew. */
async function stillWaiting(context: StepContext, scene: Scene, book: Book): Promise<string | undefined> {
  const broken = book.marks.get('broken')?.at ?? book.now;
  const since = book.now - broken;
  const movePods = context.step.with?.movePods === true;
  const limit = WATCH_LIMIT_MS + (movePods ? MOVE_LIMIT_MS : 0);
  if (since > limit) return undefined;
  const away = takesHostAway(scene.chosen.scenario);
  if (away && !book.marks.has('not-ready')) {
    if (!(await isNotReady(context, scene.victim))) {
      return since > WATCH_LIMIT_MS ? undefined : `waiting until ${scene.victim.name} is NotReady`;
    }
    await scene.note('not-ready');
  }
  if (movePods && !book.marks.has('moved')) {
    const left = await podsLeft(context, scene, book);
    if (left > 0) return `waiting until ${left} pods of ${scene.victim.name} were made anew elsewhere`;
  }
  const unsteady = unsteadyKinds(book.samples, STEADY, broken);
  if (since < LEAST_MS || (unsteady.length > 0 && since < WATCH_LIMIT_MS)) return 'waiting for steady answers';
  return undefined;
}

/** Asks a control plane that is not struck; where none answers, it is asked again. */
async function ask(context: StepContext, victim: ClusterHost, question: string): Promise<string | undefined> {
  const except = hostsOf(context.cluster, 'control-plane').find(({ name }) => name === victim.name);
  try {
    const via = await findControlPlane(context, except);
    if (via === undefined) return undefined;
    const facts = await gatherFacts(via.remote, `ask answer ${via.kubectl} ${question}`, context.signal);
    const answer = facts.answer('answer', '');
    return answer.is === 'yes' ? answer.value : undefined;
  } catch (error) {
    if (!isKubewrightError(error) || !error.transient) throw error;
    return undefined;
  }
}

async function isNotReady(context: StepContext, victim: ClusterHost): Promise<boolean> {
  const template = quote('jsonpath={.status.conditions[?(@.type=="Ready")].status}');
  const status = await ask(context, victim, `get node ${victim.name} -o ${template}`);
  return status === 'False' || status === 'Unknown';
}

/** Pods of a node that somebody makes anew elsewhere: neither a DaemonSet's nor the node's own; and whether they were told to end. */
async function podsLeft(context: StepContext, scene: Scene, book: Book): Promise<number> {
  const { victim } = scene;
  const template = '{range .items[*]}{.metadata.ownerReferences[0].kind} {.metadata.deletionTimestamp}{"\\n"}{end}';
  const told = await ask(
    context,
    victim,
    `get pods -A --field-selector spec.nodeName=${victim.name} -o ${quote(`jsonpath=${template}`)}`,
  );
  if (told === undefined) return 1;
  const { left, all } = movingPods(told);
  const most = Math.max(all, book.marks.get('moved')?.count ?? 0);
  if (left === 0) await scene.note('moved', most);
  return left;
}

/** Reads a line for each pod: its owner's kind, and when it was told to end. Pure. */
export function movingPods(lines: string): { left: number; all: number } {
  const moving = lines
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([owner = '']) => owner !== '' && owner !== 'DaemonSet' && owner !== 'Node');
  return { all: moving.length, left: moving.filter(([, told = '']) => told === '').length };
}
