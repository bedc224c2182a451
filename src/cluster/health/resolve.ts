import type { Surroundings } from '../../components/schema-types.js';
import { resolveSmtp, resolveWebhook, texts } from '../channels/resolve.js';
import { millisecondsIn } from '../duration.js';
import type { Path } from '../path.js';
import { type ClusterDraft, inner, pick, type Sketch } from '../resolve/draft.js';
import { type HealthSettings, SNAPSHOT_MAX_AGE, WEBHOOK_FORMAT } from './settings.js';

/** Where the channels stand in the file. */
export const NOTIFY: Path = ['spec', 'health', 'notify'];

const notifyOf = (file: ClusterDraft) => inner(inner(inner(file, 'spec'), 'health'), 'notify');
type NotifyDraft = ReturnType<typeof notifyOf>;
const snapshotsOf = (file: ClusterDraft) => inner(inner(inner(file, 'spec'), 'health'), 'snapshots');
type SnapshotsDraft = ReturnType<typeof snapshotsOf>;
const namesOf = (file: ClusterDraft) => texts(pick(inner(inner(file, 'spec'), 'health'), 'outsideNames', null));
const mailOf = (notify: NotifyDraft) => inner(notify, 'mail');

/** `spec.health` with its defaults; left out where the file says nothing of it, so that a cluster without it stays what it was. */
export function resolveHealth(
  file: ClusterDraft,
  surroundings: Pick<Surroundings, 'read'>,
): { health?: Sketch<HealthSettings> } {
  const notify = notifyOf(file);
  const snapshots = snapshotsOf(file);
  const names = namesOf(file);
  if (notify === null && snapshots === null && names === null) return {};
  const health = {
    ...(notify === null ? {} : { notify: resolveChannels(notify, surroundings) }),
    ...(snapshots === null ? {} : { snapshots: resolveSnapshots(snapshots) }),
    ...(names === null ? {} : { outsideNames: names }),
  };
  return { health } as { health: Sketch<HealthSettings> };
}

function resolveChannels(notify: NotifyDraft, surroundings: Pick<Surroundings, 'read'>) {
  const hook = inner(notify, 'webhook');
  const post = mailOf(notify);
  const webhook =
    hook === null
      ? null
      : { ...resolveWebhook(hook, [...NOTIFY, 'webhook'], surroundings), format: pick(hook, 'format', WEBHOOK_FORMAT) };
  const mail = post === null ? null : resolveMail(post, surroundings);
  return { webhook, mail, command: texts(pick(notify, 'command', null)) };
}

function resolveSnapshots(snapshots: NonNullable<SnapshotsDraft>) {
  const maxAge = pick(snapshots, 'maxAge', SNAPSHOT_MAX_AGE);
  return {
    files: pick(snapshots, 'files', undefined),
    maxAge: maxAge === undefined ? undefined : millisecondsIn(maxAge),
  };
}

function resolveMail(post: ReturnType<typeof mailOf>, surroundings: Pick<Surroundings, 'read'>) {
  return {
    to: texts(pick(post, 'to', []) ?? []),
    from: pick(post, 'from', undefined),
    smtp: resolveSmtp(inner(post, 'smtp'), [...NOTIFY, 'mail', 'smtp'], surroundings),
  };
}
