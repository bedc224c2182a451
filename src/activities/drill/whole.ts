import { type Answer, yes } from '../answers.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import { blowOf } from './blows.js';
import { IS_ARMED } from './dead-man.js';
import { bootOf } from './power.js';
import type { Scene } from './scene.js';

/** How a host that is to be struck is. */
export interface Wholeness {
  /** Whether what is struck works: a no is what the host itself says, or, of its power, that it does not answer. */
  works: Answer<string>;
  /** Whether something is on it that undoes a break. */
  armed: boolean;
}

/** @throws KubewrightError KW2xx (transient) for a host that cannot be asked, other than by its power */
export async function lookAtVictim(context: StepContext, { chosen, victim }: Scene): Promise<Wholeness | 'off'> {
  const remote = context.hostNamed(victim.name);
  const blow = blowOf(context.cluster, chosen.scenario);
  if (blow === undefined) {
    const boot = await bootOf(remote, context.signal);
    return boot === undefined ? 'off' : { works: yes(boot), armed: false };
  }
  const script = `${blow.isWhole}${IS_ARMED}ask whole is_whole\nask armed is_armed`;
  const facts = await gatherFacts(remote, script, context.signal);
  const works = facts.answer('whole', `${victim.name} is broken`);
  return { works, armed: facts.answer('armed', 'nothing is to be undone').is !== 'no' };
}

/** Nothing of a break is left. */
export async function isWhole(context: StepContext, scene: Scene): Promise<boolean> {
  const found = await lookAtVictim(context, scene);
  return found !== 'off' && found.works.is === 'yes' && !found.armed;
}

/** The host says itself that it is broken, or is off. What cannot be told is no yes. */
export async function isBroken(context: StepContext, scene: Scene): Promise<boolean> {
  const found = await lookAtVictim(context, scene);
  return found === 'off' || found.works.is === 'no';
}
