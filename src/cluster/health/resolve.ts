import type { Surroundings } from '../../components/schema-types.js';
import { resolveSmtp, resolveWebhook, texts } from '../channels/resolve.js';
import type { Path } from '../path.js';
import { type ClusterDraft, inner, pick, type Sketch } from '../resolve/draft.js';
import { type HealthSettings, WEBHOOK_FORMAT } from './settings.js';

/** Where the channels stand in the file. */
export const NOTIFY: Path = ['spec', 'health', 'notify'];

const notifyOf = (file: ClusterDraft) => inner(inner(inner(file, 'spec'), 'health'), 'notify');
type NotifyDraft = ReturnType<typeof notifyOf>;
const mailOf = (notify: NotifyDraft) => inner(notify, 'mail');

/** `spec.health` with its defaults; left out where the file tells nobody, so that a cluster without it stays what it was. */
export function resolveHealth(
  file: ClusterDraft,
  surroundings: Pick<Surroundings, 'read'>,
): { health?: Sketch<HealthSettings> } {
  const notify = notifyOf(file);
  if (notify === null) return {};
  const hook = inner(notify, 'webhook');
  const post = mailOf(notify);
  const webhook =
    hook === null
      ? null
      : { ...resolveWebhook(hook, [...NOTIFY, 'webhook'], surroundings), format: pick(hook, 'format', WEBHOOK_FORMAT) };
  const mail = post === null ? null : resolveMail(post, surroundings);
  return { health: { notify: { webhook, mail, command: texts(pick(notify, 'command', null)) } } } as {
    health: Sketch<HealthSettings>;
  };
}

function resolveMail(post: ReturnType<typeof mailOf>, surroundings: Pick<Surroundings, 'read'>) {
  return {
    to: texts(pick(post, 'to', []) ?? []),
    from: pick(post, 'from', undefined),
    smtp: resolveSmtp(inner(post, 'smtp'), [...NOTIFY, 'mail', 'smtp'], surroundings),
  };
}
