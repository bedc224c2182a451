import type { Cluster } from '../../cluster/types.js';
import { packageNeeds } from '../../components/packages.js';
import { podNetworkOf } from '../../components/registry/plan.js';
import { STATE_KINDS, type StateKind } from '../before/state-script.js';
import { unitsOf } from './undo/units.js';

/** One thing in which a host differs from what it was. */
export interface Difference {
  kind: StateKind;
  name: string;
  /** Its value before, which may be empty; missing: it was not there. */
  before?: string;
  now?: string;
}

/**
 * Puts together what two lists of a host's state tell.
 *
 * @param appeared kind, name and value of lines that are there now only
 * @param gone those that were there before only
 */
export function differencesOf(appeared: string[][], gone: string[][]): Difference[] {
  const found = new Map<string, Difference>();
  const note = ([kind = '', name = '', value = '']: string[], when: 'before' | 'now'): void => {
    if (!(STATE_KINDS as readonly string[]).includes(kind)) return;
    // The same kind of thing may be there more than once, such as two addresses of a card.
    const key = kind === 'address' || kind === 'mount' ? `${kind} ${name} ${value}` : `${kind} ${name}`;
    found.set(key, { kind: kind as StateKind, name, ...found.get(key), [when]: value });
  };
  for (const line of gone) note(line, 'before');
  for (const line of appeared) note(line, 'now');
  return [...found.values()];
}

/** Names that every iptables table has once anybody has asked for it. */
const BUILT_IN = /^(INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING)$/;
const TABLES_OF_IPTABLES = /^ip6?\/(filter|nat|mangle|raw|security)$/;

/** Services and mounts of logins and of systemd, which come and go with them. */
const OF_SESSIONS = /^(user@\d+|user-runtime-dir@\d+|session-.+|sshd@.+|systemd-.+|getty@.+|serial-getty@.+)\./;
const MOUNTS_OF_SESSIONS = /^\/run\/(user\/\d+|credentials\/.+)$/;

/**
 * The allow-list: why a difference is no fault of a reset, as the rest of "what differs and why: …"; undefined where nothing explains it.
 * Each line of it is a decision, and docs/reset.md has them. Pure.
 */
export function explained(difference: Difference, cluster: Cluster): string | undefined {
  const { kind, name, before, now } = difference;
  const isNew = before === undefined;
  const ours = unitsOf(cluster);
  switch (kind) {
    case 'package':
      return isNew ? 'packages stay, for what else needs them by now nobody can tell' : BY_OTHERS;
    case 'hold':
      return packageNeeds(cluster).hold.includes(name) ? undefined : BY_OTHERS;
    case 'unit':
      if (isNew) return 'units came with packages, which stay';
      return ours.includes(name) ? undefined : BY_OTHERS;
    case 'active':
      return ours.includes(name) && (isNew || !OF_SESSIONS.test(name)) ? undefined : BY_OTHERS;
    case 'user':
    case 'group':
      return isNew && isOfPackage(name, cluster) ? 'accounts came with packages, which stay' : undefined;
    case 'module':
      return isNew ? 'a kernel module that is in use stays loaded until a reboot' : BY_OTHERS;
    case 'sysctl':
      return isNew ? 'settings came with a kernel module that is still loaded' : undefined;
    case 'chain':
    case 'table':
      return isNew && (BUILT_IN.test(name) || TABLES_OF_IPTABLES.test(name))
        ? 'empty tables of iptables stay once they were used'
        : undefined;
    case 'mount':
      if (MOUNTS_OF_SESSIONS.test(name)) return BY_OTHERS;
      return isNew && isOfNetwork(name, cluster) ? 'what the pod network has mounted goes with a reboot' : undefined;
    default:
      return now === before ? BY_OTHERS : undefined;
  }
}

const BY_OTHERS = 'others change it, too, and Kubewright does not';

/** Distributions' packages name their account after the service, some with a suffix. */
function isOfPackage(name: string, cluster: Cluster): boolean {
  return packageNeeds(cluster).install.some((each) => name === each || name.startsWith(`${each}_`));
}

function isOfNetwork(path: string, cluster: Cluster): boolean {
  return podNetworkOf(cluster).maker === 'cilium' && /^\/(sys\/fs\/bpf|run\/cilium\/)/.test(path);
}
