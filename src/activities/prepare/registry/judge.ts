import { placeOf, type RegistrySettings } from '../../../cluster/private-registry.js';
import type { Facts } from '../../remote-facts.js';
import { listed, type Problem } from '../checks/problem.js';

/** What an answer of a registry is judged by. */
export interface Asked {
  registry: RegistrySettings;
  /** Who asked. */
  host: string;
  hasLogin: boolean;
  /** Of the runtime: whether it exchanges a login for a token. */
  takesTokens: boolean;
}

/** What keeps a host from pulling, by the rows of `registryScript`; pure. */
export function judge(facts: Facts, asked: Asked): Problem[] {
  const about = (code: string, what: string, hint: string, severity?: 'warning'): Problem[] => [
    { code, what: `${asked.host} ${what}`, hint, hosts: [asked.host], ...(severity ? { severity } : {}) },
  ];
  const { host } = placeOf(asked.registry.address);
  const [unasked] = facts.rows('registry-unasked')[0] ?? [];
  if (unasked !== undefined)
    return about(
      'KW366',
      `cannot ask the registry ${host}: ${unasked}`,
      'Install openssl there, or see by hand that the host can pull.',
      'warning',
    );
  const [status = '', challenge = ''] = facts.rows('registry')[0] ?? [];
  if (status === '') return noAnswer(facts, host, about);
  if (status === '401' || status === '403') return denied(challenge, host, asked, about);
  if (status !== '200')
    return about(
      'KW366',
      `gets ${status} from ${host}, which is no answer of a registry`,
      'Does packages.registry.address name the registry itself? The path comes behind /v2/.',
    );
  const lacking = facts
    .rows('registry-image')
    .filter(([, found]) => found === '404')
    .map(([name = '']) => name);
  if (lacking.length === 0) return [];
  return about(
    'KW367',
    `cannot pull ${listed(lacking)}: ${host} has no such image`,
    'Push what is named, each at its own path; packages.registry.paths says what lies where.',
  );
}

type About = (code: string, what: string, hint: string) => Problem[];

/** openssl's own words: what it cannot verify, or what the system said of the connection. */
function noAnswer(facts: Facts, host: string, about: About): Problem[] {
  const [why = ''] = facts.rows('registry-failed')[0] ?? [];
  const fault = /verify error:num=\d+:([^:]+?)(?= (?:depth|verify|\w+:)|$)/.exec(why)?.[1];
  if (fault !== undefined) {
    return about(
      'KW366',
      `does not trust the certificate of ${host}: ${fault.trim()}`,
      "Name its certificate authority in packages.registry.caFile, or add it to the host's own.",
    );
  }
  return about(
    'KW366',
    `gets no answer from the registry ${host}${why.trim() === '' ? '' : ` (${why.trim()})`}`,
    'Correct packages.registry.address, or let the hosts reach it.',
  );
}

function denied(challenge: string, host: string, { hasLogin, takesTokens, registry }: Asked, about: About): Problem[] {
  const isToken = challenge === 'bearer';
  // Whether the token's place takes the login, or hands one out to everybody, shows when something is pulled.
  if (isToken && (takesTokens || !hasLogin)) return [];
  if (isToken) {
    return about(
      'KW366',
      `cannot log in to ${host}: it wants a token, and containerd sends the login itself`,
      'Let the registry take the login (HTTP Basic), take runtime.type: crio, or let everybody pull.',
    );
  }
  const what = hasLogin
    ? `is refused by ${host} with the login of ${registry.loginEnv}`
    : `is refused by ${host}, which wants a login`;
  return about(
    'KW366',
    what,
    hasLogin
      ? 'Correct NAME:PASSWORD in that variable where the worker runs.'
      : 'Name a variable with NAME:PASSWORD in packages.registry.loginEnv.',
  );
}
