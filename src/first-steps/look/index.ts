import { resolve } from 'node:path';
import { onEachHost } from '../../activities/each-host.js';
import { DEFAULTS } from '../../cluster/defaults.js';
import type { ClusterHost } from '../../cluster/types.js';
import { gatherVipFacts } from '../../components/load-balancer/vrrp/vip.js';
import { messageOf } from '../../errors.js';
import { createHosts, type Hosts } from '../../hosts/index.js';
import type { Draft, DraftHost } from '../draft.js';
import { applyLooks, type Looked } from './apply.js';
import { lookAtHost } from './facts.js';
import { searchFor } from './vip.js';

export type { Looked } from './apply.js';

export interface LookOptions {
  env: NodeJS.ProcessEnv;
  /** What `~` means. */
  homeDirectory: string;
  /** Of the file that will be written: relative paths of keys start there. */
  directory: string;
  signal: AbortSignal;
}

/**
 * Looks at the hosts of a draft over SSH, changes nothing there, and brings what it saw into the draft: what each host is, addresses
 * that were missing, and a free VIP. A host that cannot be reached stays as it is, with a remark. Never throws for a host.
 */
export async function lookAtDraft(draft: Draft, options: LookOptions): Promise<Draft> {
  const reachable = draft.hosts.filter(({ address, ssh }) => (ssh.address ?? address) !== undefined);
  const hosts = createHosts({ name: draft.name, hosts: reachable.map((host) => asReached(host, options)) }, options);
  try {
    const looked = await onEachHost(reachable, async ({ name }): Promise<[string, Looked]> => {
      try {
        return [name, { look: await lookAtHost(hosts.get(name), options.signal) }];
      } catch (problem) {
        options.signal.throwIfAborted();
        return [name, { problem }];
      }
    });
    const looks = new Map(looked);
    return await withVip(applyLooks(draft, looks), looks, hosts, options.signal);
  } finally {
    await hosts.close();
  }
}

/** As `cluster.yaml` will say it. */
function asReached({ name, address, role, ssh }: DraftHost, { directory }: LookOptions): ClusterHost {
  const { user, port, keyFile, bastion } = ssh;
  const path = (file: string): string => (file.startsWith('~/') ? file : resolve(directory, file));
  const keyFiles = keyFile === undefined ? [] : [path(keyFile)];
  const pinned = [
    ...(user === DEFAULTS.ssh.user ? ['user' as const] : []),
    ...(port === DEFAULTS.ssh.port ? ['port' as const] : []),
  ];
  const login = { user: user ?? DEFAULTS.ssh.user, port: port ?? DEFAULTS.ssh.port, keyFiles };
  const jump = bastion && {
    address: bastion.address,
    user: bastion.user ?? login.user,
    port: bastion.port ?? DEFAULTS.ssh.port,
    keyFiles: bastion.keyFile === undefined ? keyFiles : [path(bastion.keyFile)],
  };
  const { agent, configFile, knownHostsFile, hostKeys, sudoPasswordEnv } = DEFAULTS.ssh;
  const way = ssh.address ?? address ?? '';
  return {
    name,
    address: address ?? way,
    role,
    labels: {},
    taints: null,
    ssh: {
      address: way,
      ...login,
      agent,
      configFile,
      knownHostsFile,
      hostKeys,
      bastion: jump ?? null,
      sudoPasswordEnv,
      pinned,
    },
  };
}

/** Proposes a VIP where there is none, and asks whether the one that there is belongs to somebody. */
async function withVip(
  draft: Draft,
  looks: ReadonlyMap<string, Looked>,
  hosts: Hosts,
  signal: AbortSignal,
): Promise<Draft> {
  if (draft.settings.external !== undefined) return draft;
  const search = searchFor(draft, looks);
  if ('why' in search) return remarked(draft, `Nobody was asked whether an address is free: ${search.why}.`);
  const { askedBy, candidates } = search;
  const prefixLength = draft.settings.prefixLength ?? search.prefixLength;
  const subnet = { ...draft, settings: { ...draft.settings, prefixLength } };
  const given = draft.settings.vip;
  for (const vip of given === undefined ? candidates : [given]) {
    const { doubt, unasked } = await judge(vip, looks, hosts, askedBy, signal);
    if (unasked !== undefined) return remarked(subnet, `${askedBy} could not be asked who answers: ${unasked}.`);
    if (given !== undefined && doubt !== undefined) return doubted(subnet, vip, doubt);
    if (doubt !== undefined) continue;
    const today = new Date().toISOString().slice(0, 10);
    const remark = `Nobody answered for it when ${askedBy} asked on ${today}; what DHCP gives out is not known.`;
    return remarked({ ...subnet, settings: { ...subnet.settings, vip } }, remark);
  }
  return remarked(subnet, `None was found that is surely free: ${askedBy} asked for ${candidates.join(', ')}.`);
}

function remarked(draft: Draft, vipRemark: string): Draft {
  return { ...draft, settings: { ...draft.settings, vipRemark } };
}

function doubted(draft: Draft, vip: string, doubt: string): Draft {
  return {
    ...remarked(draft, `Is it right? ${doubt}.`),
    findings: [...draft.findings, `the virtual IP ${vip}: ${doubt}`],
  };
}

function holderOf(vip: string, looks: ReadonlyMap<string, Looked>): string | undefined {
  const holder = [...looks].find(([, looked]) => looked && 'look' in looked && looked.look.addresses.includes(vip));
  return holder && `${holder[0]} has it on a network card`;
}

/** Why an address may not be a free one of the subnet, or why that could not be asked; neither where nobody answers for it. */
async function judge(
  vip: string,
  looks: ReadonlyMap<string, Looked>,
  hosts: Hosts,
  askedBy: string,
  signal: AbortSignal,
): Promise<{ doubt?: string | undefined; unasked?: string }> {
  const holder = holderOf(vip, looks);
  if (holder !== undefined) return { doubt: holder };
  try {
    const { onLink, holderMac } = await gatherVipFacts(vip, hosts.get(askedBy), signal);
    if (holderMac !== undefined) return { doubt: `somebody answers for it (${holderMac}, asked from ${askedBy})` };
    return { doubt: onLink ? undefined : `it is in no network of the cards of ${askedBy}` };
  } catch (error) {
    signal.throwIfAborted();
    return { unasked: messageOf(error) };
  }
}
