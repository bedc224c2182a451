import { homedir, platform } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import { KubewrightError, messageOf } from '../errors.js';
import type { ConnectionSettings } from './types.js';

/** What says which Temporal server is meant. */
export interface SettingsOptions {
  /**
   * The embedded server, whatever the environment or a profile name (also: `KUBEWRIGHT_EMBEDDED=1`, which an `address`
   * given here overrules).
   */
  embeddedOnly?: boolean;
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
 * @returns undefined when nothing names a server, or the embedded one is asked for: then it is that one
 * @throws KubewrightError KW504 when a file cannot be read, the profile does not exist, or two servers are asked for
 */
export function resolveSettings(options: SettingsOptions = {}): ConnectionSettings | undefined {
  const env = options.env ?? process.env;
  if (asksForEmbedded(options, env)) return undefined;
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
      source: sourceOf(options, env),
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

function asksForEmbedded(options: SettingsOptions, env: NodeJS.ProcessEnv): boolean {
  if (options.embeddedOnly && options.address !== undefined) {
    throw new KubewrightError('KW504', `Two Temporal servers are asked for: the embedded one and ${options.address}`, {
      hint: 'Give --embedded or --address, not both.',
    });
  }
  return options.embeddedOnly ?? (options.address === undefined && isOn(env.KUBEWRIGHT_EMBEDDED));
}

function isOn(value: string | undefined): boolean {
  return value === '1' || value === 'true';
}

/** Who named the server. A stray variable or a forgotten default profile sends an install elsewhere: people must see it. */
function sourceOf(options: SettingsOptions, env: NodeJS.ProcessEnv): string {
  if (options.address !== undefined) return 'from --address';
  if (env.TEMPORAL_ADDRESS) return 'from TEMPORAL_ADDRESS';
  const profile = options.profile ?? (env.TEMPORAL_PROFILE || 'default');
  return `from ${options.configFile ?? (env.TEMPORAL_CONFIG_FILE || defaultConfigFile(env))} profile ${profile}`;
}

/** Where Temporal's own tools look, see @temporalio/envconfig. */
function defaultConfigFile(env: NodeJS.ProcessEnv): string {
  const home = env.HOME || homedir();
  const xdg = env.XDG_CONFIG_HOME;
  const unix = xdg && isAbsolute(xdg) ? xdg : join(home, '.config');
  const directory = platform() === 'darwin' ? join(home, 'Library', 'Application Support') : unix;
  return join(env.APPDATA && platform() === 'win32' ? env.APPDATA : directory, 'temporalio', 'temporal.toml');
}

/** How the embedded server is reached: its one namespace is `default`. */
export function embeddedSettings(address: string): ConnectionSettings {
  return { address, namespace: 'default', source: 'embedded' };
}

/** One line for people: which server, which namespace, and who named it. */
export function describeSettings({ address, namespace, source }: ConnectionSettings): string {
  return `Temporal: ${address}, namespace ${namespace} (${source})`;
}

/**
 * Options as the environment would say them: one place knows which beats which, and a worker process is told the same
 * way, where no other user of the machine can read it.
 */
export function environmentOf(options: SettingsOptions): Record<string, string> {
  const { address, namespace, apiKey, tls } = options;
  return definedOf({
    KUBEWRIGHT_EMBEDDED: options.embeddedOnly ? '1' : undefined,
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
