import { type ClusterHost, hostsOf } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import type { StepContext } from '../types.js';
import { hasCome, type Rotation, type Stage } from './key-file.js';
import { keyFileOn, loadedOn } from './on-host.js';

type LaterStage = Exclude<Stage, 'second'>;

/** What all control planes have to have come to, and what one that has not does not do. */
const BEFORE: Record<LaterStage, { stage: Stage; lacks: string }> = {
  first: { stage: 'second', lacks: 'does not read with the new key' },
  only: { stage: 'first', lacks: 'does not write with the new key' },
};

/**
 * Looks again, right before a file is changed, whether all control planes have come to the stage before. The plan lets a stage begin once that has ended
 * everywhere, but it may have ended days ago, and a control plane that was put back to an older state since could not read what the others write.
 *
 * @throws KubewrightError KW428 (transient) that names the control planes that have not; KW2xx for one that cannot be reached
 */
export async function requireEverybody(context: StepContext, target: Rotation, stage: LaterStage): Promise<void> {
  const hosts = hostsOf(context.wholeCluster, 'control-plane');
  const lagging = (await Promise.all(hosts.map((host) => lagOf(context, host, target, stage)))).flat();
  if (lagging.length === 0) return;
  throw new KubewrightError('KW428', lagging.join('; '), {
    host: context.host.name,
    transient: true,
    hint: `Nothing was changed on ${context.host.name}: all control planes go from stage to stage together. It is asked again by itself; if it stays so, mend what the message names.`,
  });
}

async function lagOf(context: StepContext, host: ClusterHost, target: Rotation, stage: LaterStage): Promise<string[]> {
  const { name } = host;
  const { stage: before, lacks } = BEFORE[stage];
  const file = await keyFileOn(context, host);
  if (file.is !== 'yes') return [`${name} ${lacks}: ${file.is === 'no' ? file.evidence : file.why}`];
  // It has been through this look itself, and its API server may be on the way from one file to the next.
  if (hasCome(file.value, target, stage)) return [];
  if (!hasCome(file.value, target, before)) return [`${name} ${lacks}: its file is not that far`];
  const loaded = await loadedOn(context, host);
  if (loaded.is === 'yes' && loaded.value === file.value.digest) return [];
  return [`${name} ${lacks}: ${loaded.is === 'unknown' ? loaded.why : 'its API server has not read the file yet'}`];
}
