import type { HealthWebhook } from '../../cluster/health/settings.js';
import { chatBody, type HealthMessage } from '../../plan/health-message.js';
import type { Post, Posted } from './post.js';
import { isUntrusted, type LookUp, quoted, reasonOf, secretOf, untold } from './trouble.js';

/** What the activity works with. */
export interface WebhookSurroundings {
  post: Post;
  lookUp: LookUp;
  /** Ends the try. */
  signal: AbortSignal;
}

/**
 * Posts a message to a webhook.
 *
 * @throws KubewrightError KW686 where a secret is missing, the address is none, or the server does not take it
 */
export async function postMessage(
  webhook: HealthWebhook,
  message: HealthMessage,
  { post, lookUp, signal }: WebhookSurroundings,
): Promise<void> {
  const address = addressOf(webhook, lookUp);
  const token = webhook.tokenEnv === null ? undefined : secretOf(webhook.tokenEnv, lookUp);
  const secrets = [token, ...secretsIn(webhook, address)];
  // What looks as a token in clear to `validate` may stand in the variable, where only the worker sees it.
  if (token !== undefined && address.protocol === 'http:') {
    throw untold(`the token of ${webhook.tokenEnv} would cross the network in clear`, {
      hint: `Give ${webhook.urlEnv} an https address, or leave tokenEnv out.`,
    });
  }
  const headers = {
    'Content-Type': 'application/json',
    'User-Agent': 'kubewright',
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  const body = JSON.stringify(webhook.format === 'chat' ? chatBody(message) : message.json);
  let answer: Posted;
  try {
    answer = await post(address, { headers, body, ca: webhook.ca, signal });
  } catch (error) {
    throw unsent(error, secrets, signal);
  }
  if (answer.status < 200 || answer.status > 299) throw refused(answer, secrets);
}

function addressOf({ url, urlEnv }: HealthWebhook, lookUp: LookUp): URL {
  if (urlEnv === null) return new URL(url ?? '');
  const value = secretOf(urlEnv, lookUp);
  const address = URL.canParse(value) ? new URL(value) : undefined;
  if (address !== undefined && /^https?:$/.test(address.protocol)) return address;
  throw untold(`what ${urlEnv} holds is no http or https address`, { hint: `Give ${urlEnv} the whole address.` });
}

/** Where the address is a secret, so is each part of it that an error may name. */
function secretsIn({ urlEnv }: HealthWebhook, { href, pathname, search, host, hostname }: URL): string[] {
  if (urlEnv === null) return [];
  return [href, `${pathname}${search}`, host, hostname].filter((part) => part.length > 1);
}

function unsent(error: unknown, secrets: (string | undefined)[], signal: AbortSignal): Error {
  if (signal.aborted) {
    return untold('it did not answer in time', {
      hint: 'See whether its server works.',
      transient: true,
      cause: error,
    });
  }
  if (isUntrusted(error)) {
    return untold(`its certificate is not trusted: ${reasonOf(error, secrets)}`, {
      hint: 'Name the certificates that sign it with caFile, or have the server send all of its chain.',
    });
  }
  return untold(`it could not be reached: ${reasonOf(error, secrets)}`, {
    hint: "See whether the address is right, and reachable from the worker's machine.",
    transient: true,
  });
}

function refused({ status, body }: Posted, secrets: (string | undefined)[]): Error {
  const said = quoted(body, secrets);
  const words = `it answered with status ${status}${said === '' ? '' : ` (${said})`}`;
  if (status >= 300 && status < 400) return untold(words, { hint: 'It leads on: give the address where it leads to.' });
  const transient = status >= 500 || status === 429 || status === 408;
  const hint = transient
    ? 'See the log of its server.'
    : 'See whether address, token and format are what its server wants.';
  return untold(words, { hint, transient });
}
