import { isKubewrightError, KubewrightError } from '../../errors.js';
import { lookUntil, notYet, seen } from '../../waiting.js';
import type { StepContext, StepImplementation } from '../types.js';
import { blowOf } from './blows.js';
import { type Book, isMarked } from './book.js';
import { chosenFor } from './chosen.js';
import { UNDO_SCRIPT } from './dead-man.js';
import { awaitOn, bootOf, OFF_PATIENCE_MS, runPower } from './power.js';
import { type Scene, sceneOf } from './scene.js';
import { isWhole } from './whole.js';

/** How long a kubelet may take to bring a container back: it waits longer with each time, up to five minutes. */
const BACK_PATIENCE_MS = 6 * 60_000;
const LOOK_EVERY_MS = 1_000;

/**
 * Puts back what was broken, whatever became of the step that broke it: also where that was ended in its middle. Always done, after an
 * abort or a cancellation, too.
 */
export const putBack: StepImplementation = {
  async probe(context) {
    const chosen = chosenFor(context);
    if (chosen === undefined) return { done: true, found: 'nothing was broken', changes: [] };
    const marks = await marksOf(context, sceneOf(context, chosen));
    const whole = await isWhole(context, sceneOf(context, chosen));
    // Without its book what was begun is not known, and what can be seen has to do.
    const isOpen = marks !== undefined && isMarked(marks, 'break') && !isMarked(marks, 'restored', 'break');
    if (whole && !isOpen) {
      return { done: true, found: `${chosen.victim} is whole`, changes: [], data: { restored: true } };
    }
    return { done: false, found: `${chosen.victim} was struck`, changes: [`put ${chosen.victim} back`] };
  },

  /** @throws KubewrightError KW674 when it cannot be put back, KW673 for a power command that fails */
  async apply(context) {
    const chosen = chosenFor(context);
    if (chosen === undefined) return;
    const scene = sceneOf(context, chosen);
    if (blowOf(context.cluster, chosen.scenario) === undefined) await switchOn(context, scene);
    else await undo(context, scene);
    // What is measured may be lost by now; what was broken is back.
    await scene.note('restored').catch(() => undefined);
  },
};

/** Undefined where the host that asks cannot be asked itself, or has no book any more. */
async function marksOf(context: StepContext, scene: Scene): Promise<Book['marks'] | undefined> {
  try {
    return (await scene.read('latest'))?.marks;
  } catch (error) {
    context.signal.throwIfAborted();
    if (!isKubewrightError(error)) throw error;
    return undefined;
  }
}

async function undo(context: StepContext, scene: Scene): Promise<void> {
  const { signal, progress } = context;
  const { victim } = scene;
  await context.hostNamed(victim.name).run(UNDO_SCRIPT, { signal, timeoutMs: 120_000 });
  const look = async () => ((await isWhole(context, scene)) ? seen(true) : notYet(`waiting for ${victim.name}`));
  const back = await lookUntil(look, { patienceMs: BACK_PATIENCE_MS, everyMs: LOOK_EVERY_MS, signal, progress });
  if (back !== undefined) return;
  throw new KubewrightError('KW674', `what was stopped on ${victim.name} has not come back`, {
    host: victim.name,
    hint: `\`systemctl --failed\`, \`crictl ps -a\` and \`journalctl -u kubelet\` there say why. docs/drills.md says what a drill stops, and how it is put back by hand.`,
  });
}

/** A host that was told to go off and still answers may go off later: then it would be found off by nobody. */
async function switchOn(context: StepContext, scene: Scene): Promise<void> {
  const { signal, progress } = context;
  const { victim } = scene;
  const remote = context.hostNamed(victim.name);
  const marks = await marksOf(context, scene);
  const survived = marks !== undefined && isMarked(marks, 'survived', 'break');
  const look = async () =>
    (await bootOf(remote, signal)) === undefined ? seen(true) : notYet(`seeing whether ${victim.name} goes off`);
  const patienceMs = survived ? 0 : OFF_PATIENCE_MS;
  const off = await lookUntil(look, { patienceMs, everyMs: LOOK_EVERY_MS, signal, progress });
  if (off === undefined) return;
  await runPower(context, 'on', victim);
  await awaitOn(context, victim);
}
