import { ENCRYPTION_PATH } from '../../cluster/security/paths.js';
import { hostsOf } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import { lookUntil, notYet, seen } from '../../waiting.js';
import { type Answer, requireKnown, unknown } from '../answers.js';
import { requireControlPlane } from '../kubeadm/control-plane.js';
import { hostOf } from '../prepare/target.js';
import type { Probe, StepContext, StepImplementation } from '../types.js';
import { waitOf } from '../verify/await-state.js';
import { requireEverybody } from './everybody.js';
import { writtenWith } from './in-etcd.js';
import {
  hasCome,
  type KeyFile,
  type Rotation,
  type Stage,
  withFirstKey,
  withoutOldKey,
  withSecondKey,
} from './key-file.js';
import { keyFileOn, loadedOn, replaceKeyFile } from './on-host.js';
import { targetOf } from './target.js';

/** API servers look at the file once a minute, and at once when they start. */
const PATIENCE_MS = 180_000;
const LOOK_EVERY_MS = 3_000;

const WORDS: Record<Stage, { done: string; change: string }> = {
  second: { done: 'reads what the new key writes', change: 'put the new key behind the old one' },
  first: { done: 'writes with the new key', change: 'put the new key in front of the old one' },
  only: { done: 'has the new key alone', change: 'take the old key away' },
};

/**
 * Brings the new key one stage further on one control plane: to the file, and into the process that runs. The plan lets a stage begin
 * when the one before has ended on every control plane, so there is no moment at which an API server cannot read what
 * another one writes. Nothing is restarted.
 */
function keyStep(stage: Stage): StepImplementation {
  return {
    async probe(context) {
      const own = await keyFileOn(context, context.host);
      if (own.is !== 'yes') {
        const why = own.is === 'no' ? own.evidence : own.why;
        return { done: false, found: why, changes: [WORDS[stage].change] };
      }
      if (!hasCome(own.value, targetOf(context), stage)) return pending(stage, 'the file is not that far');
      return loadedProbe(context, stage, own.value);
    },

    /**
     * @throws KubewrightError KW388 where the file cannot be understood, KW433 and KW496 (transient), KW497 where the API server
     * does not take the file up, KW428 (transient) where another control plane has not come to the stage before, KW498 where etcd still has what the old key wrote
     */
    async apply(context) {
      const target = targetOf(context);
      const own = await ownFile(context, target, stage);
      if (!hasCome(own, target, stage)) await advance(context, own, target, stage);
      await awaitLoaded(context);
    },
  };
}

/** The new key is there on every control plane: what is written with it can be read. */
export const addEncryptionKey = keyStep('second');
/** From here on this API server writes with the new key. */
export const promoteEncryptionKey = keyStep('first');
/** The old key is gone from this control plane. */
export const removeEncryptionKey = keyStep('only');

function pending(stage: Stage, found: string): Probe {
  return { done: false, found, changes: [WORDS[stage].change] };
}

async function loadedProbe(context: StepContext, stage: Stage, { digest }: KeyFile): Promise<Probe> {
  const loaded = await loadedOn(context, hostOf(context));
  const { name } = context.host;
  if (loaded.is === 'yes' && loaded.value === digest) {
    return { done: true, found: `the API server of ${name} ${WORDS[stage].done}`, changes: [] };
  }
  const changes = ['wait for the API server to read the file'];
  const unasked = loaded.is === 'unknown' ? { unasked: loaded.why } : {};
  return { done: false, found: `the API server of ${name} has not read the file yet`, changes, ...unasked };
}

/**
 * The file of the step's host, with the new key in it; where it lacks that, it comes from another control plane. The first one is
 * to make the key, in the first stage alone: its file is as it was.
 */
async function ownFile(context: StepContext, target: Rotation, stage: Stage): Promise<KeyFile> {
  const own = await keyFileOn(context, context.host);
  if (own.is === 'yes') requireSameRotation(context, own.value, target);
  if (own.is === 'yes' && own.value.keys.includes(target.to)) return own.value;
  const digest = own.is === 'yes' ? own.value.digest : undefined;
  if (own.is === 'unknown') throw notUnderstood(context.host.name, own.why);
  const other = await holderOf(context, target);
  if (other !== undefined) {
    await replaceKeyFile(context, digest, other.text);
    return ownFile(context, target, stage);
  }
  const [maker] = hostsOf(context.wholeCluster, 'control-plane');
  if (own.is === 'yes' && stage === 'second' && maker?.name === context.host.name) return own.value;
  const why = own.is === 'no' ? own.evidence : `no control plane has the key ${target.to}`;
  throw new KubewrightError('KW388', `the new key cannot be brought to ${context.host.name}: ${why}`, {
    host: context.host.name,
    hint: `Put the file of another control plane there (${ENCRYPTION_PATH}, mode 0600, root), then retry the step.`,
  });
}

/** The preflight chose before this run held the hosts: the rotation of another one may have come between. */
function requireSameRotation({ host }: StepContext, { keys }: KeyFile, { from, to }: Rotation): void {
  const others = keys.filter((key) => key !== from && key !== to);
  if (others.length === 0) return;
  throw new KubewrightError(
    'KW388',
    `${ENCRYPTION_PATH} has the key ${others.join(', ')}, and this run is to put ${to} in the place of ${from}`,
    {
      host: host.name,
      hint: 'Another rotation has come between, and nothing was changed here. End this run with `kubewright abort`, then start the rotation anew: it looks at the files again.',
    },
  );
}

/** Of several the one that still has both keys. A file that cannot be understood may have the key: then none is made. */
async function holderOf(context: StepContext, { to }: Rotation): Promise<KeyFile | undefined> {
  const others = hostsOf(context.wholeCluster, 'control-plane').filter(({ name }) => name !== context.host.name);
  const files = await Promise.all(
    others.map(async (host) => {
      const file = await keyFileOn(context, host);
      if (file.is === 'unknown') throw notUnderstood(host.name, file.why);
      return file.is === 'yes' && file.value.keys.includes(to) ? [file.value] : [];
    }),
  );
  return files.flat().sort((a, b) => b.keys.length - a.keys.length)[0];
}

async function advance(context: StepContext, own: KeyFile, target: Rotation, stage: Stage): Promise<void> {
  if (stage === 'second') return replaceKeyFile(context, own.digest, withSecondKey(own, target));
  await requireEverybody(context, target, stage);
  if (stage === 'first') return replaceKeyFile(context, own.digest, withFirstKey(own, target));
  await requireNothingLeft(context, own, target);
  await replaceKeyFile(context, own.digest, withoutOldKey(own, target));
}

/** Asked again right before a key is taken away: without it nobody reads what it has written. */
async function requireNothingLeft(context: StepContext, own: KeyFile, { to }: Rotation): Promise<void> {
  const asked = await requireControlPlane(context);
  const written = requireKnown(
    await writtenWith(context, asked, own, to),
    'with which key the Secrets in etcd are encrypted',
    asked.host.name,
  );
  if (written.is === 'yes' && written.value.left === 0) return;
  const left = written.is === 'yes' ? `${written.value.left} of ${written.value.total} objects` : 'objects';
  throw new KubewrightError('KW498', `etcd still has ${left} that the old key has encrypted: it is not taken away`, {
    host: context.host.name,
    hint: 'Somebody writes with the old key, or brought an old state of etcd back. Start the rotation again once this run has ended: it writes anew what is left, and goes on.',
  });
}

async function awaitLoaded(context: StepContext): Promise<void> {
  const host = hostOf(context);
  let loaded: Answer<string> = unknown('it was not asked');
  const look = async () => {
    const own = await keyFileOn(context, host);
    loaded = await loadedOn(context, host);
    if (own.is === 'yes' && loaded.is === 'yes' && own.value.digest === loaded.value) return seen(true);
    return notYet(`waiting for the API server of ${host.name}, which reads the file once a minute`);
  };
  if (await lookUntil(look, { patienceMs: PATIENCE_MS, everyMs: LOOK_EVERY_MS, ...waitOf(context) })) return;
  requireKnown(loaded, 'which file of keys the API server has loaded', host.name);
  throw new KubewrightError('KW497', `the API server of ${host.name} does not take up ${ENCRYPTION_PATH}`, {
    host: host.name,
    hint: 'It goes on with the keys that it had, so nothing is lost. `crictl logs` of its container says why it refuses the file; mend that, then retry the step.',
  });
}

function notUnderstood(host: string, why: string): KubewrightError {
  return new KubewrightError('KW388', `${ENCRYPTION_PATH} cannot be changed for certain: ${why}`, {
    host,
    hint: 'Put the file of another control plane there (mode 0600, root), then retry the step.',
  });
}
