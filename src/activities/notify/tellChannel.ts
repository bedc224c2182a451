import type { HealthChannel } from '../../cluster/health/settings.js';
import type { Cluster } from '../../cluster/types.js';
import { healthMessage } from '../../plan/health-message.js';
import type { TellOutput } from '../../plan/run.js';
import type { VerdictNews } from '../../plan/verdict-news.js';
import { runCommand } from './command.js';
import { mailMessage } from './mail.js';
import type { Senders } from './senders.js';
import type { LookUp } from './trouble.js';
import { postMessage } from './webhook.js';

/** What telling works with. */
export interface TellSurroundings {
  senders: Senders;
  lookUp: LookUp;
  /** Fires when nobody waits any more. */
  signal: AbortSignal;
}

/**
 * Tells one channel of a verdict, within the limit of that channel.
 *
 * @param cluster whose `health.notify` has the channel
 * @throws KubewrightError KW686 where it could not be told; transient where a moment may heal it
 */
export async function tellChannel(
  cluster: Cluster,
  { channel, news }: { channel: HealthChannel; news: VerdictNews },
  { senders, lookUp, signal }: TellSurroundings,
): Promise<TellOutput> {
  const limit = new AbortController();
  const end = (): void => limit.abort();
  const timer = setTimeout(end, senders.limitsMs[channel]);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    return await send(cluster, { channel, news }, { senders, lookUp, signal: limit.signal });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

async function send(
  { name, health }: Cluster,
  { channel, news }: { channel: HealthChannel; news: VerdictNews },
  { senders, ...surroundings }: TellSurroundings,
): Promise<TellOutput> {
  const { webhook = null, mail = null, command = null } = health?.notify ?? {};
  const message = healthMessage(news);
  const around = { ...senders, ...surroundings };
  if (channel === 'mail' && mail !== null) return mailMessage(mail, message, around);
  if (channel === 'webhook' && webhook !== null) await postMessage(webhook, message, around);
  else if (channel === 'command' && command !== null) await runCommand(command, message, around);
  else throw new Error(`the check of ${name} was planned without a ${channel}`);
  return {};
}
