import { etcdHosts } from '../../components/registry/plan.js';
import { etcdWorkOf } from '../../components/registry/work.js';
import { isKubewrightError, KubewrightError } from '../../errors.js';
import { lookUntil, notYet, seen } from '../../waiting.js';
import type { StepContext, StepImplementation } from '../types.js';
import { blowOf, deadManSeconds } from './blows.js';
import { isMarked } from './book.js';
import { chooseVictim } from './choose.js';
import { chosenFor } from './chosen.js';
import { strikeScript } from './dead-man.js';
import { awaitOff, bootOf, runPower } from './power.js';
import { requireBook, type Scene, sceneOf } from './scene.js';
import { isBroken } from './whole.js';

/** How long a member of etcd may take to be well before another one is stopped. */
const QUORUM_PATIENCE_MS = 20_000;

/**
 * Breaks one part of the cluster. That it is about to be broken is written down before, by the clock of the host that asks; that it is,
 * behind. What the host itself can undo it undoes after some minutes, should nobody come.
 */
export const breakPart: StepImplementation = {
  async probe(context) {
    const chosen = chosenFor(context);
    if (chosen === undefined) return { done: true, found: 'left out', changes: [] };
    const scene = sceneOf(context, chosen);
    const { marks } = requireBook(await scene.read('latest'), chosen.prober);
    if (isMarked(marks, 'broken', 'break'))
      return { done: true, found: `${chosen.victim} was struck`, changes: [], data: { broken: true } };
    return { done: false, found: `${chosen.victim} is whole`, changes: [`strike ${chosen.victim}`] };
  },

  /** @throws KubewrightError KW672 where a quorum would be lost; KW673 for a power command that fails or does nothing */
  async apply(context) {
    const chosen = chosenFor(context);
    if (chosen === undefined) return;
    const scene = sceneOf(context, chosen);
    const marks = (await scene.read('latest'))?.marks;
    const isBegun = marks !== undefined && isMarked(marks, 'break') && !isMarked(marks, 'survived', 'break');
    // By an attempt whose worker died: the moment of the first one counts, and nothing is asked that a broken cluster cannot answer.
    if (isBegun && (await isBroken(context, scene))) return await scene.note('broken');
    if (!isBegun) await requireSame(context, scene);
    await requireQuorum(context, scene);
    if (!isBegun) await scene.note('break');
    await strike(context, scene);
    await scene.note('broken');
  },
};

async function strike(context: StepContext, scene: Scene): Promise<void> {
  const { chosen } = scene;
  const blow = blowOf(context.cluster, chosen.scenario);
  if (blow === undefined) return await switchOff(context, scene);
  const seconds = deadManSeconds(context.step.with?.movePods === true);
  await context.hostNamed(chosen.victim).run(strikeScript(blow, seconds), { signal: context.signal });
}

/**
 * The virtual IP, or etcd's leadership, may have moved since the host was chosen: what would be measured then is something else.
 *
 * @throws KubewrightError KW677
 */
async function requireSame(context: StepContext, { chosen }: Scene): Promise<void> {
  const { scenario, victim } = chosen;
  if (scenario !== 'balancer' && scenario !== 'etcd-leader') return;
  const now = await chooseVictim(context, scenario);
  if (now.name === victim) return;
  const what = scenario === 'balancer' ? 'the virtual IP has' : "etcd's leadership has";
  throw new KubewrightError('KW677', `${what} moved from ${victim} to ${now.name} since ${victim} was chosen`, {
    host: victim,
    hint: 'Nothing was broken. See why it moves by itself, then start the drill anew.',
  });
}

/**
 * Asked again right before a member goes: all have to be well, for those that are left are to be a quorum. One bad look is no refusal: a
 * member that is slow to answer once may be well.
 *
 * @throws KubewrightError KW672
 */
async function requireQuorum(context: StepContext, { chosen, victim }: Scene): Promise<void> {
  const members = etcdHosts(context.cluster);
  const isMember = members.some(({ name }) => name === victim.name);
  if (!isMember || chosen.scenario === 'balancer' || chosen.scenario === 'api-server') return;
  const quorum = Math.floor(members.length / 2) + 1;
  let why = `it has ${members.length} members and needs ${quorum}`;
  const look = async () => {
    const { faults } = await etcdWorkOf(context.cluster).look(context);
    if (faults.length === 0) return seen(true);
    why = faults.join('; ');
    return notYet(why);
  };
  const { signal, progress } = context;
  const well = await lookUntil(look, { patienceMs: QUORUM_PATIENCE_MS, everyMs: 2_000, signal, progress });
  if (well === true && members.length - 1 >= quorum) return;
  throw new KubewrightError('KW672', `without ${victim.name} etcd might have no quorum: ${why}`, {
    host: victim.name,
    hint: 'Nothing was broken. Every member has to be a healthy voter before one of them is stopped.',
  });
}

async function switchOff(context: StepContext, { victim, note }: Scene): Promise<void> {
  const { signal } = context;
  const boot = await bootOf(context.hostNamed(victim.name), signal);
  try {
    await runPower(context, 'off', victim);
    await awaitOff(context, victim, boot);
  } catch (error) {
    signal.throwIfAborted();
    // Of a power command that failed, or did nothing, it is known that the host does not go off later; of all else it is not.
    if (isKubewrightError(error) && error.code === 'KW673') await note('survived');
    throw error;
  }
}
