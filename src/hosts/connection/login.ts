import type { AuthenticationType, Client as SshClient } from 'ssh2';
import { hostError } from '../errors.js';
import { shown } from '../printable.js';
import { OneKeyAgent } from './agent.js';
import type { Hop } from './hop.js';
import { type Credentials, type Offer, USE_OPENSSH } from './identities.js';

/** One method in the form that ssh2's README documents for `authHandler`. */
type AuthMethod = { type: AuthenticationType; username: string } & Record<string, unknown>;

/** Offers the keys of one hop one by one, and remembers what the server said to each. */
export class Login {
  readonly #hop: Hop;
  readonly #host: string;
  readonly #credentials: Credentials;
  readonly #offered: Offer[] = [];
  /** Methods that the server named last. */
  #accepts: string[] = [];
  /** The key that the server took, and asked for more. */
  #partial: Offer | undefined;
  /** The last key that the server knew before it said no. */
  #known: Offer | undefined;
  #agentError: string | undefined;
  #banner = '';

  constructor(hop: Hop, host: string, credentials: Credentials) {
    this.#hop = hop;
    this.#host = host;
    this.#credentials = credentials;
  }

  /** For ssh2's `authHandler`. */
  next(): AuthMethod | false {
    const goesOn = this.#partial === undefined || this.#accepts.includes('publickey');
    const offer = goesOn ? this.#credentials.offers[this.#offered.length] : undefined;
    if (offer === undefined) return false;
    this.#offered.push(offer);
    const username = this.#hop.user;
    if (offer.private !== undefined) return { type: 'publickey', username, key: offer.private };
    if (offer.agent === undefined) return false;
    return { type: 'agent', username, agent: new OneKeyAgent(offer.agent.socket, offer.agent.key) };
  }

  /**
   * Listens to what the server answers. To be called right after `connect`: ssh2 tells an `authHandler` nothing of a partial
   * success with a key of the agent, so its own handlers are wrapped.
   */
  watch(client: SshClient): void {
    const { _protocol } = client as unknown as { _protocol: { _handlers: Handlers } };
    const handlers = _protocol._handlers;
    const { USERAUTH_FAILURE: onFailure, USERAUTH_PK_OK: onKnown } = handlers;
    handlers.USERAUTH_FAILURE = (protocol, methods: string[], isPartial: boolean) => {
      this.#accepts = methods;
      if (isPartial) this.#partial = this.#offered.at(-1);
      onFailure?.(protocol, methods, isPartial);
    };
    handlers.USERAUTH_PK_OK = (...facts) => {
      this.#known = this.#offered.at(-1);
      onKnown?.(...facts);
    };
    client.on('banner', (text) => {
      this.#banner = `${this.#banner}${text}\n`.slice(-4000);
    });
  }

  /** An agent that would not sign; the next key is tried. */
  agentFailed(error: Error): void {
    const offer = this.#offered.at(-1);
    this.#agentError = `the agent did not sign with ${offer?.key ?? 'a key'}: ${error.message}`;
  }

  /** Why nobody got in. @param error what ended it */
  rejection(error: Error): Error {
    const facts = { host: this.#host, cause: error, ...(this.#banner === '' ? {} : { output: shown(this.#banner) }) };
    const { user } = this.#hop;
    const who = `${this.#hop.label} at ${this.#hop.address} port ${this.#hop.port}`;
    if (this.#partial !== undefined) {
      const more = this.#accepts.join(' or ') || 'something else';
      return hostError(
        'secondFactor',
        `${who} accepted the key of user ${user} (${describeOffer(this.#partial)}); it also wants ${more}, which Kubewright cannot give`,
        {
          ...facts,
          hint: 'Let a key alone do for this user there (`AuthenticationMethods publickey` below a `Match User` in its sshd_config).',
        },
      );
    }
    const tried = [...this.#offered.map(describeOffer), ...(this.#agentError ? [this.#agentError] : [])];
    const accepts = this.#accepts.length > 0 ? `; it accepts ${this.#accepts.join(', ')}` : '';
    return hostError(
      'authenticationRejected',
      `${who} rejected the login of user ${user}; tried ${tried.join(', ')}${accepts}${this.#leftOut()}`,
      { ...facts, hint: this.#hint(error) },
    );
  }

  #leftOut(): string {
    const { passedOver, needsOpenSsh } = this.#credentials;
    const left = [...needsOpenSsh, ...passedOver.filter((each) => !/\(default\) is not there/.test(each))];
    return left.length > 0 ? `; not tried: ${left.join(', ')}` : '';
  }

  #hint(error: Error): string {
    const { offers, needsOpenSsh } = this.#credentials;
    if (/authentication failures/i.test(error.message)) {
      const rest = offers.length - this.#offered.length;
      return `It takes ${this.#offered.length} keys at most${rest > 0 ? ` and ${rest} were left` : ''}: name the right one with \`ssh.keyFile\` and set \`ssh.agent: false\`, or \`IdentitiesOnly yes\`.`;
    }
    if (needsOpenSsh.length > 0)
      return `${USE_OPENSSH} Else: is one of the public keys in its ~/.ssh/authorized_keys there?`;
    if (this.#accepts.length > 0 && !this.#accepts.includes('publickey'))
      return 'It takes no key from this user. Login by password is not supported: allow `PubkeyAuthentication` there.';
    if (this.#known !== undefined)
      return `It knew the key ${this.#known.key} and refused the login all the same: is the account locked or expired, or the agent's key another one?`;
    return 'Check the user, and that one of these public keys is in its ~/.ssh/authorized_keys there.';
  }
}

interface Handlers {
  USERAUTH_FAILURE?: (protocol: unknown, methods: string[], isPartial: boolean) => void;
  USERAUTH_PK_OK?: (...facts: unknown[]) => void;
}

/** `key FILE (type SHA256:…, line or key that names it)`. */
export function describeOffer({ from, key, source }: Offer): string {
  return `${from} (${key}, ${source})`;
}
