import { existsSync, readFileSync } from 'node:fs';
import ssh2, { type ParsedKey } from 'ssh2';
import { messageOf } from '../../errors.js';
import { hostError } from '../errors.js';
import { listAgentKeys } from './agent.js';
import type { Hop, Sourced } from './hop.js';
import { describeKey, type PublicKey, parsedForm, parsePublicLine, publicHalfOf, unusableKind } from './public-key.js';

const { utils } = ssh2;

/** One key that is offered. */
export interface Offer {
  /** `type SHA256:…`. */
  key: string;
  /** Where it comes from: `key FILE`, or `the agent`, with its comment. */
  from: string;
  /** Key of cluster.yaml or line of the configuration that names it; `agent` for the agent's other keys. */
  source: string;
  /** The private key itself, or the public half whose private one the agent uses. */
  private?: ParsedKey;
  agent?: { socket: string; key: ParsedKey };
}

/** What will be offered, in this order, and what was found and cannot be. */
export interface Credentials {
  offers: Offer[];
  /** Such as `~/.ssh/id_rsa (default) is not there`. */
  passedOver: string[];
  /** What only the system's ssh can use: certificates and FIDO keys. */
  needsOpenSsh: string[];
}

/**
 * Finds what there is to log in with on one hop: first the named keys in their order, whether a file or the agent holds the
 * private half, then the agent's others (unless IdentitiesOnly). Each key once, for servers count what is offered
 * (MaxAuthTries). Key files that cluster.yaml names must be usable; others are taken where they are.
 *
 * @throws KubewrightError KW211 for an unusable key file, KW212 when there is nothing to log in with
 */
export async function readCredentials(hop: Hop, host: string): Promise<Credentials> {
  const search = new Search(hop, host, await askAgent(hop));
  for (const file of hop.identities.files) search.take(file);
  search.takeAgentKeys();
  const { offers, passedOver, needsOpenSsh } = search;
  if (offers.length > 0) return { offers, passedOver, needsOpenSsh };
  const found = [...passedOver, ...needsOpenSsh];
  throw hostError(
    'noCredentials',
    `nothing to log in with: ${found.length > 0 ? found.join(', ') : 'no key and no agent'}`,
    {
      host,
      hint:
        needsOpenSsh.length > 0
          ? USE_OPENSSH
          : 'Name a key with `ssh.keyFile` in cluster.yaml, or start an agent (`eval $(ssh-agent); ssh-add`).',
    },
  );
}

/** For what ssh2 cannot do. */
export const USE_OPENSSH =
  'The built-in client cannot use certificates and FIDO keys: set `ssh.client: openssh`, which uses the ssh of this machine.';

type Agent = { socket: string; keys: PublicKey[] } | { problem: string } | undefined;

async function askAgent({ agent }: Hop): Promise<Agent> {
  if (agent === null) return undefined;
  try {
    return { socket: agent, keys: await listAgentKeys(agent) };
  } catch (error) {
    return { problem: `the agent at ${agent} did not answer (${messageOf(error)})` };
  }
}

/** What a key file holds. */
type Found =
  | { private: ParsedKey }
  /** The private half must be in the agent. */
  | { public: PublicKey; problem: string }
  | { problem: string; isEncrypted?: boolean };

class Search {
  readonly offers: Offer[] = [];
  readonly passedOver: string[] = [];
  readonly needsOpenSsh: string[] = [];
  readonly #seen = new Set<string>();

  constructor(
    private readonly hop: Hop,
    private readonly host: string,
    private readonly agent: Agent,
  ) {
    if (agent !== undefined && 'problem' in agent) this.passedOver.push(agent.problem);
    for (const certificate of hop.certificates) this.needsOpenSsh.push(`the certificate ${certificate}`);
  }

  /** Takes a named key file. */
  take({ value: file, source }: Sourced<string>): void {
    const certificate = `${file.replace(/\.pub$/, '')}-cert.pub`;
    if (existsSync(certificate)) this.needsOpenSsh.push(`the certificate ${certificate}`);
    const found = readKeyFile(file);
    if ('private' in found) {
      const blob = found.private.getPublicSSH();
      this.#add(blob, {
        key: describeKey({ type: found.private.type, blob }),
        from: `key ${file}`,
        source,
        private: found.private,
      });
      return;
    }
    if ('public' in found && this.#takeFromAgent(found.public, file, source)) return;
    const isAnswering = this.agent !== undefined && 'keys' in this.agent;
    // Of an encrypted key the agent may know a form that cannot be told from the file.
    const isLeftToAgent = isAnswering && ('public' in found ? found.problem === ENCRYPTED : found.isEncrypted);
    if (this.hop.identities.required && !isLeftToAgent) throw this.#unusable(file, found);
    const kind = 'public' in found ? unusableKind(found.public.type) : undefined;
    if (kind !== undefined) this.needsOpenSsh.push(`${file} (${source}), a ${kind}`);
    else this.passedOver.push(`${file} (${source}) ${found.problem}`);
  }

  /** The agent's keys that nothing names. */
  takeAgentKeys(): void {
    if (this.agent === undefined || 'problem' in this.agent) return;
    for (const key of this.agent.keys) {
      const kind = unusableKind(key.type);
      if (kind !== undefined) this.#noteUnusable(key, kind);
      else if (!this.hop.identities.only) this.#offerFromAgent(key, 'agent');
    }
    if (this.agent.keys.length === 0) this.passedOver.push('the agent holds no key');
  }

  #noteUnusable(key: PublicKey, kind: string): void {
    if (kind !== 'key of an unknown kind') this.needsOpenSsh.push(`the agent's ${kind} ${describeKey(key)}`);
    else this.passedOver.push(`the agent's key of type ${key.type} is not known here`);
  }

  #takeFromAgent(wanted: PublicKey, file: string, source: string): boolean {
    if (this.agent === undefined || 'problem' in this.agent) return false;
    const key = this.agent.keys.find(({ blob }) => blob.equals(wanted.blob));
    return key !== undefined && unusableKind(key.type) === undefined && this.#offerFromAgent(key, source, file);
  }

  #offerFromAgent(key: PublicKey, source: string, file?: string): boolean {
    const parsed = parsedForm(key.blob);
    if (parsed === undefined || this.agent === undefined || 'problem' in this.agent) return false;
    const comment = file ?? key.comment;
    const from = comment ? `the agent's key ${comment}` : 'a key of the agent';
    this.#add(key.blob, { key: describeKey(key), from, source, agent: { socket: this.agent.socket, key: parsed } });
    return true;
  }

  #add(blob: Buffer, offer: Offer): void {
    const id = blob.toString('base64');
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    this.offers.push(offer);
  }

  #unusable(file: string, found: Exclude<Found, { private: ParsedKey }>): Error {
    const isEncrypted = found.problem === ENCRYPTED;
    const agent = this.#agentWords();
    const kind = 'public' in found ? unusableKind(found.public.type) : undefined;
    if (kind !== undefined)
      return hostError('keyUnusable', `the key file ${file} holds a ${kind}`, { host: this.host, hint: USE_OPENSSH });
    return hostError('keyUnusable', `the key file ${file} ${found.problem}${'public' in found ? agent : ''}`, {
      host: this.host,
      hint:
        isEncrypted || 'public' in found
          ? `Load the private key into an agent (\`eval $(ssh-agent); ssh-add ${file.replace(/\.pub$/, '')}\`) and leave \`ssh.agent\` on.`
          : 'Name an OpenSSH or PEM private key that the worker may read.',
    });
  }

  #agentWords(): string {
    if (this.agent === undefined) return ', and no agent is asked';
    return 'problem' in this.agent ? `, and ${this.agent.problem}` : ', and the agent does not hold its private half';
  }
}

const ENCRYPTED = 'is encrypted';

/** Reads a key file, and its public half from inside or from beside it. */
function readKeyFile(file: string): Found {
  const text = readText(file);
  if (typeof text !== 'string') {
    const beside = text.isMissing ? publicBeside(file) : undefined;
    return beside ? { public: beside, problem: 'is not there (its .pub is)' } : { problem: text.problem };
  }
  const half = parsePublicLine(text);
  if (half) return { public: half, problem: 'holds a public key' };
  const parsed = utils.parseKey(text);
  const key: ParsedKey | Error | undefined = Array.isArray(parsed) ? parsed[0] : parsed;
  if (text.trim() === '' || key === undefined) return { problem: 'is empty' };
  if (!(key instanceof Error)) return key.isPrivateKey() ? { private: key } : { problem: 'holds no private key' };
  const isEncrypted = /encrypted|passphrase/i.test(key.message);
  const known = publicHalfOf(text) ?? publicBeside(file);
  const problem = isEncrypted ? ENCRYPTED : 'holds no private key that can be read';
  if (known && (isEncrypted || unusableKind(known.type) !== undefined)) return { public: known, problem };
  return { problem, isEncrypted };
}

function publicBeside(file: string): PublicKey | undefined {
  const text = readText(`${file}.pub`);
  return typeof text === 'string' ? parsePublicLine(text) : undefined;
}

function readText(file: string): string | { problem: string; isMissing: boolean } {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { problem: isMissing ? 'is not there' : `cannot be read: ${messageOf(error)}`, isMissing };
  }
}
