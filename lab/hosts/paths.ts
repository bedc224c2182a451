import { homedir } from 'node:os';
import { join } from 'node:path';
import { KubewrightError } from '../../src/errors.js';

/** Machine-wide: one directory a lab, with its journal. On /run, for it must not outlive what it describes. */
export const REGISTRY = '/run/kubewright-lab';

/** What `withLock` locks while a lab is registered or taken down. A directory that is always there: nothing to tidy up. */
export const MACHINE_LOCK = '/run';

const LAB_NAME = /^[a-z][a-z0-9-]{0,10}[a-z0-9]$|^[a-z]$/;

/** @throws KW602 when the name cannot be part of an interface's name (15 characters) or of a shell word */
export function checkLabName(name: string): string {
  if (LAB_NAME.test(name)) return name;
  throw new KubewrightError('KW602', `"${name}" cannot be a lab's name.`, {
    hint: 'Use at most 12 lower-case letters, digits and hyphens, beginning with a letter.',
  });
}

/** `$KUBEWRIGHT_STATE`, else `$XDG_STATE_HOME/kubewright`, else `~/.local/state/kubewright`. */
export function stateDirectory(): string {
  const { KUBEWRIGHT_STATE, XDG_STATE_HOME } = process.env;
  return KUBEWRIGHT_STATE || join(XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'kubewright');
}

/** Where the current user's labs lie. */
export function labDirectory(name: string): string {
  return join(stateDirectory(), 'lab', name);
}

/** The files that a lab gives to its user, and those it keeps for itself. */
export interface LabFiles {
  directory: string;
  privateKey: string;
  knownHosts: string;
  /** For people and scripts: `ssh -F FILE cp-1`. */
  sshConfig: string;
  clusterFile: string;
  /** 0600; only when a password for sudo had to be generated. */
  sudoPassword: string;
  record: string;
}

export function labFiles(directory: string): LabFiles {
  return {
    directory,
    privateKey: join(directory, 'id_ed25519'),
    knownHosts: join(directory, 'known_hosts'),
    sshConfig: join(directory, 'ssh_config'),
    clusterFile: join(directory, 'cluster.yaml'),
    sudoPassword: join(directory, 'sudo-password'),
    record: join(directory, 'lab.json'),
  };
}

/** What belongs to one host: its disk, what is copied onto it at its first boot, its console's output. */
export interface HostFiles {
  directory: string;
  disk: string;
  seed: string;
  console: string;
  settings: string;
  /** 0600; only where the host wants a password for sudo. */
  sudoPassword: string;
}

export function hostFiles(labDirectory: string, host: string): HostFiles {
  const directory = join(labDirectory, 'hosts', host);
  return {
    directory,
    disk: join(directory, 'disk.img'),
    seed: join(directory, 'seed'),
    console: join(directory, 'console.log'),
    settings: join(directory, 'settings'),
    sudoPassword: join(directory, 'sudo-password'),
  };
}

/** The lab's card on the machine; interface names have at most 15 characters. */
export function uplinkName(lab: string): string {
  return `kw-${lab}`;
}

/** Name of the lab's cgroups. */
export function cgroupName(lab: string): string {
  return `kubewright-lab-${lab}`;
}
