import { KubewrightError } from '../../errors.js';
import type { HealthFinding } from '../../plan/run.js';
import { lookUntil, notYet, seen } from '../../waiting.js';
import { lookAtAll } from '../check/looks.js';
import type { StepImplementation } from '../types.js';
import { inShort } from './checkDrill.js';
import { chosenFor } from './chosen.js';
import { ifReached } from './if-reached.js';
import { sceneOf } from './scene.js';
import { awaitSteady, stopAsking } from './stop-asking.js';

/** A host that was switched off has images to look at, pods to start, and an etcd member to catch up. */
const PATIENCE_MS = 15 * 60_000;

/** A look is work for the cluster, too: the rest behind it is at least as long, or looking would keep a busy one from getting well. */
const restMs = (lookMs: number): number => Math.max(2_000, lookMs);

/**
 * Waits until the questions are answered steadily again and a health check finds nothing any more, and writes down when that was.
 * Scenarios behind it are done only then.
 */
export const awaitHealth: StepImplementation = {
  withoutLease: true,

  async probe(context) {
    const chosen = chosenFor(context);
    if (chosen === undefined) return { done: true, found: 'left out', changes: [] };
    const book = await sceneOf(context, chosen).read('latest');
    if (book?.marks.has('healthy') === true || (book === undefined && (await lookAtAll(context)).length === 0)) {
      return { done: true, found: 'a health check finds nothing', changes: [], data: { healthy: true } };
    }
    return { done: false, found: 'the cluster was not seen to be whole', changes: ['wait until it is'] };
  },

  /** @throws KubewrightError KW675 when it is not whole in time */
  async apply(context) {
    const chosen = chosenFor(context);
    if (chosen === undefined) return;
    const { signal, progress } = context;
    const scene = sceneOf(context, chosen);
    // What is measured may be lost with the host that asks, and the cluster gets well all the same.
    await ifReached(context, async () => {
      await awaitSteady(context, scene);
      await stopAsking(context, scene);
    });
    let findings: HealthFinding[] = [];
    const look = async () => {
      // Pods are made only where nothing else is found.
      findings = await lookAtAll(context, 'quick');
      if (findings.length === 0) findings = await lookAtAll(context);
      return findings.length === 0 ? seen(true) : notYet(`still found: ${inShort(findings)}`);
    };
    const healthy = await lookUntil(look, { patienceMs: PATIENCE_MS, everyMs: restMs, signal, progress });
    if (healthy === undefined) {
      throw new KubewrightError(
        'KW675',
        `${context.cluster.name} is not whole after the drill of ${chosen.victim}: ${inShort(findings)}`,
        {
          hint: 'What was broken was put back. `kubewright health --now` shows what is wrong; nothing more was broken.',
        },
      );
    }
    // The book may be lost with the host that asked; the cluster is whole all the same.
    await scene.note('healthy').catch(() => undefined);
  },
};
