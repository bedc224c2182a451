import { loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import { KubewrightError, messageOf } from '../errors.js';
import type { ConnectionSettings } from './types.js';

export interface SettingsOptions {
  /** `host:port`; without it what the environment or the profile says, else the embedded server. */
  address?: string;
  namespace?: string;
  /** Prefer `TEMPORAL_API_KEY`: arguments can be read by every user of the machine. */
  apiKey?: string;
  /** Files of a TLS connection; `true` in `enabled` alone trusts the system's authorities. */
  tls?: { enabled?: boolean; caFile?: string; certFile?: string; keyFile?: string; serverName?: string };
  /** Profile of `temporal.toml`; default `TEMPORAL_PROFILE`, else `default`. */
  profile?: string;
  /** `temporal.toml`; default `TEMPORAL_CONFIG_FILE`, else the user's. */
  configFile?: string;
  env?: NodeJS.ProcessEnv;
}

/**
 * Puts together how Temporal is reached, after the conventions of Temporal's own tools: an option beats the environment
 * (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_TLS_…`, `TEMPORAL_API_KEY`), which beats the profile in
 * `temporal.toml`.
 *
 * @returns undefined when nothing names a server: then it is the embedded one
 * @throws KubewrightError KW504 when a file cannot be read or the profile does not exist
 */
export function resolveSettings(options: SettingsOptions = {}): ConnectionSettings | undefined {
  const env = options.env ?? process.env;
  try {
    const profile = loadClientConfigProfile({ overrideEnvVars: { ...definedOf(env), ...environmentOf(options) } });
    // The SDK goes on without any certificate then, and the server's refusal would not say why.
    if ((profile.tls?.clientCert === undefined) !== (profile.tls?.clientKey === undefined)) {
      throw new Error('a client certificate without its key, or a key without its certificate');
    }
    const config = toClientOptions(profile);
    const { address, tls, apiKey, metadata } = config.connectionOptions;
    if (!address) return undefined;
    return {
      address: withPort(address),
      namespace: config.namespace ?? 'default',
      tls: tls ?? undefined,
      apiKey: typeof apiKey === 'string' ? apiKey : undefined,
      metadata: metadata as Record<string, string> | undefined,
    };
  } catch (cause) {
    throw new KubewrightError('KW504', `The settings for Temporal cannot be used: ${messageOf(cause)}`, {
      hint: 'See TEMPORAL_ADDRESS, TEMPORAL_TLS_CLIENT_CERT_PATH and temporal.toml in docs/temporal.md.',
      cause,
    });
  }
}

/**
 * Options as the environment would say them: one place knows which beats which, and a worker process is told the same
 * way, where no other user of the machine can read it.
 */
export function environmentOf(options: SettingsOptions): Record<string, string> {
  const { address, namespace, apiKey, tls } = options;
  return definedOf({
    TEMPORAL_PROFILE: options.profile,
    TEMPORAL_CONFIG_FILE: options.configFile,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    TEMPORAL_API_KEY: apiKey,
    TEMPORAL_TLS: tls?.enabled === undefined ? undefined : String(tls.enabled),
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: tls?.caFile,
    TEMPORAL_TLS_CLIENT_CERT_PATH: tls?.certFile,
    TEMPORAL_TLS_CLIENT_KEY_PATH: tls?.keyFile,
    TEMPORAL_TLS_SERVER_NAME: tls?.serverName,
  });
}

function definedOf(values: Record<string, string | undefined>): Record<string, string> {
  const entries = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}

/** 7233 unless given, as everywhere in Temporal. A bare IPv6 address is left to the caller to put into brackets. */
function withPort(address: string): string {
  return /:\d+$/.test(address) ? address : `${address}:7233`;
}
