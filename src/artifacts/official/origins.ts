import { KubewrightError } from '../../errors.js';
import { variableFor } from './credentials.js';

/** Hosts that published releases and images come from, and the address that is really asked for each. */
export type Origins = Record<OriginHost, string>;

export const ORIGIN_HOSTS = [
  'dl.k8s.io',
  'github.com',
  'raw.githubusercontent.com',
  'registry.k8s.io',
  'ghcr.io',
  'quay.io',
  'storage.googleapis.com',
  'helm.cilium.io',
  'get.helm.sh',
  'rekor.sigstore.dev',
] as const;

export type OriginHost = (typeof ORIGIN_HOSTS)[number];

/**
 * The addresses to ask, after what the user said about mirrors. A mirror is either `HOST=URL`, which stands for one
 * origin, or a `URL` alone, which has all of them below it by name: `URL/dl.k8s.io/release/…`.
 *
 * @param mirrors as given with `--mirror`, later ones win
 * @param env `KUBEWRIGHT_MIRRORS` holds the same, separated by commas; `--mirror` wins
 * @throws KW725 when one is not a http or https address or not for an origin that is used
 */
export function resolveOrigins(mirrors: string[] = [], env: NodeJS.ProcessEnv = process.env): Origins {
  const origins = Object.fromEntries(ORIGIN_HOSTS.map((host) => [host, `https://${host}`])) as Origins;
  const fromEnvironment = (env.KUBEWRIGHT_MIRRORS ?? '').split(',').filter((mirror) => mirror.trim() !== '');
  for (const mirror of [...fromEnvironment, ...mirrors]) applyMirror(origins, mirror.trim());
  return origins;
}

function applyMirror(origins: Origins, mirror: string): void {
  const [, host, address] = /^(?:([^=/:]+)=)?(.*)$/.exec(mirror) ?? [];
  const url = address && URL.canParse(address) ? new URL(address) : undefined;
  if (url && (url.username || url.password)) {
    throw new KubewrightError('KW725', `The mirror ${url.host} has credentials in its address.`, {
      hint: `Every user of this machine can read them there. Put NAME:PASSWORD into ${variableFor(url)}, or use docker's config.json.`,
    });
  }
  const isKnown = host === undefined || ORIGIN_HOSTS.some((known) => known === host);
  if (!url || !/^https?:$/.test(url.protocol) || !isKnown) {
    // What stands before an @ may be a password.
    throw new KubewrightError('KW725', `\`${mirror.replace(/[^/=]*@/, '…@')}\` is not a mirror.`, {
      hint: `Give https://mirror.example or HOST=https://mirror.example, HOST being one of ${ORIGIN_HOSTS.join(', ')}.`,
    });
  }
  const base = url.href.replace(/\/$/, '');
  for (const known of ORIGIN_HOSTS) {
    if (host === known) origins[known] = base;
    if (host === undefined) origins[known] = `${base}/${known}`;
  }
}
