import { DEFAULTS } from '../defaults.js';
import type { ClusterFile } from '../schema/file.js';
import type { Bastion, ClusterHost, SshSettings } from '../types.js';
import { type Draft, INVALID, type Invalid, inner, pick, type Sketch } from './draft.js';

type HostDraft = Draft<ClusterFile['spec']['hosts'][number]>;
type SshDraft = Draft<NonNullable<NonNullable<ClusterFile['spec']['hosts'][number]['ssh']>>> | null;
type BastionDraft = Exclude<Draft<NonNullable<NonNullable<ClusterFile['spec']['ssh']>['bastion']>>, Invalid>;

/** Turns a path as it is written into one that does not depend on where a command was called. */
type PathOf = (written: string) => string;

/** One host with everything that it inherits. */
export function resolveHost(host: HostDraft, defaults: SshDraft, path: PathOf): Sketch<ClusterHost> {
  const taints = pick(host, 'taints', null);
  const address = pick(host, 'address', undefined);
  return {
    name: pick(host, 'name', undefined),
    address,
    role: pick(host, 'role', undefined),
    labels: Object.fromEntries(
      Object.entries(pick(host, 'labels', {}) ?? {}).filter((entry): entry is [string, string] => entry[1] !== INVALID),
    ),
    taints: taints == null ? taints : taints.map(resolveTaint),
    ssh: resolveSsh(inner(host, 'ssh'), defaults, address, path),
  };
}

type TaintDraft = Draft<NonNullable<ClusterFile['spec']['hosts'][number]['taints']>[number]>;

function resolveTaint(taint: TaintDraft): Sketch<NonNullable<ClusterHost['taints']>[number]> {
  return {
    key: pick(taint, 'key', undefined),
    value: pick(taint, 'value', ''),
    effect: pick(taint, 'effect', undefined),
  };
}

function resolveSsh(own: SshDraft, common: SshDraft, address: string | undefined, path: PathOf): Sketch<SshSettings> {
  const defaults = DEFAULTS.ssh;
  const user = pick(own, 'user', pick(common, 'user', defaults.user));
  const keyFiles = keyFilesOf(own, path) ?? keyFilesOf(common, path) ?? [...defaults.keyFiles];
  const configFile = pick(own, 'configFile', pick(common, 'configFile', defaults.configFile));
  const knownHostsFile = pick(own, 'knownHostsFile', pick(common, 'knownHostsFile', defaults.knownHostsFile));
  const bastion = pick(own, 'bastion', pick(common, 'bastion', defaults.bastion));
  return {
    address: pick(own, 'address', address),
    port: pick(own, 'port', pick(common, 'port', defaults.port)),
    user,
    keyFiles,
    agent: pick(own, 'agent', pick(common, 'agent', defaults.agent)),
    configFile: typeof configFile === 'string' ? path(configFile) : configFile,
    knownHostsFile: knownHostsFile === undefined ? undefined : path(knownHostsFile),
    hostKeys: pick(own, 'hostKeys', pick(common, 'hostKeys', defaults.hostKeys)),
    bastion: bastion == null ? bastion : resolveBastion(bastion, user, keyFiles, path),
    sudoPasswordEnv: pick(own, 'sudoPasswordEnv', pick(common, 'sudoPasswordEnv', defaults.sudoPasswordEnv)),
    ...clientOf(own, common),
    ...pinnedSettings(own, common),
  };
}

/** Only the one that is not the default: a cluster that says nothing about it stays what it was before there was a choice. */
function clientOf(own: SshDraft, common: SshDraft): Sketch<Pick<SshSettings, 'client'>> {
  const client = pick(own, 'client', pick(common, 'client', DEFAULTS.ssh.client));
  return client === DEFAULTS.ssh.client ? {} : { client };
}

/** See `SshSettings.pinned`: what is written and equals the default would otherwise look like nothing written. */
function pinnedSettings(own: SshDraft, common: SshDraft): Pick<SshSettings, 'pinned'> {
  const pinned = (['user', 'port', 'knownHostsFile'] as const).filter(
    (name) => pick(own, name, pick(common, name, undefined)) === DEFAULTS.ssh[name],
  );
  return pinned.length > 0 ? { pinned } : {};
}

function resolveBastion(
  bastion: BastionDraft,
  user: string | undefined,
  keyFiles: string[],
  path: PathOf,
): Sketch<Bastion> {
  return {
    address: pick(bastion, 'address', undefined),
    port: pick(bastion, 'port', DEFAULTS.ssh.port),
    user: pick(bastion, 'user', user),
    keyFiles: keyFilesOf(bastion, path) ?? keyFiles,
  };
}

/** `keyFile` or `keyFiles` (both is a cross-check's business); undefined when neither is written. */
function keyFilesOf(
  owner: { keyFile?: string | Invalid; keyFiles?: (string | Invalid)[] | Invalid | null } | Invalid | null,
  path: PathOf,
): string[] | undefined {
  const single = pick(owner, 'keyFile', undefined);
  const several = pick(owner, 'keyFiles', undefined);
  if (single == null && several == null) return undefined;
  const written = [...(single == null ? [] : [single]), ...(several ?? [])];
  return written.filter((file): file is string => file !== INVALID).map(path);
}
