import { cleanCache } from '../../src/artifacts/cache/cache.js';
import { machineArchitecture } from '../../src/artifacts/recipes.js';
import { KubewrightError } from '../../src/errors.js';
import type { DownOptions, UpOptions } from '../command.js';
import { guestWord } from '../hosts/carriers/guest/images.js';
import {
  ARCHITECTURES,
  clearLeftovers,
  DISTRIBUTIONS,
  type GuestSpec,
  type HostKind,
  type Lab,
  labUp,
  takeDown,
  takeDownAll,
} from '../hosts/index.js';
import { registeredLabs } from '../hosts/journal.js';

type Progress = (line: string) => void;

/** `kubewright lab up`: prints how to use the lab. Ctrl-C removes what was made so far. */
export async function upCommand(options: UpOptions, progress: Progress): Promise<void> {
  const controller = new AbortController();
  const interrupt = (): void =>
    controller.abort(new KubewrightError('KW600', 'Interrupted; nothing of the lab is left.'));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  try {
    const begin = performance.now();
    const lab = await labUp({
      name: options.name,
      hosts: options.hosts,
      topology: options.topology,
      clusterFile: options.cluster,
      kubernetes: options.kubernetes,
      diskGiB: options.disk,
      kinds: parseKinds(options.kind),
      guests: parseGuests(options.guest),
      replace: options.replace,
      signal: controller.signal,
      log: progress,
    });
    progress(`ready after ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    process.stdout.write(describe(lab));
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}

/** `HOST=KIND` or `HOST=KIND+KIND`, repeatable. Names of hosts and kinds are checked with the plan. */
export function parseKinds(words: string[]): Record<string, HostKind[]> {
  const kinds: Record<string, HostKind[]> = {};
  for (const word of words) {
    const [host = '', list = ''] = word.split('=');
    if (!host || !list) {
      throw new KubewrightError('KW603', `--kind ${word} is not HOST=KIND.`, { hint: 'Such as --kind w-1=sudo' });
    }
    kinds[host] = [...(kinds[host] ?? []), ...(list.split('+') as HostKind[])];
  }
  return kinds;
}

/**
 * `HOST=DISTRIBUTION` or `HOST=DISTRIBUTION:ARCHITECTURE`, repeatable. Names of hosts are checked with the plan.
 *
 * @param machine the architecture where none is named
 * @throws KW603 naming every word that is wrong
 */
export function parseGuests(
  words: string[],
  machine: GuestSpec['architecture'] = machineArchitecture() ?? 'amd64',
): Record<string, GuestSpec> {
  const guests: Record<string, GuestSpec> = {};
  const problems: string[] = [];
  for (const word of words) {
    const [, host, name, own] = /^([^=]+)=([^:]+)(?::(.+))?$/.exec(word) ?? [];
    const distribution = DISTRIBUTIONS.find((each) => each === name);
    const architecture = own === undefined ? machine : ARCHITECTURES.find((each) => each === own);
    if (host === undefined) problems.push(`${word} is not HOST=DISTRIBUTION:ARCHITECTURE`);
    else if (!distribution) problems.push(`${host}: there is no distribution "${name}"`);
    else if (!architecture) problems.push(`${host}: there is no architecture "${own}"`);
    else if (guests[host]) problems.push(`${host} is named twice`);
    else guests[host] = { distribution, architecture };
  }
  if (problems.length === 0) return guests;
  throw new KubewrightError('KW603', `Guests: ${problems.join('; ')}.`, {
    hint: `Such as --guest w-1=debian-13:arm64. Distributions: ${DISTRIBUTIONS.join(', ')}. Architectures: ${ARCHITECTURES.join(', ')}.`,
  });
}

function describe(lab: Lab): string {
  const width = Math.max(...lab.hosts.map(({ name }) => name.length));
  const hosts = lab.hosts.map(({ name, address, planned }) =>
    `  ${name.padEnd(width)}  ${address.padEnd(15)}  ${[planned.role, ...planned.kinds, ...(planned.guest ? [guestWord(planned.guest)] : [])].join(', ')}`.trimEnd(),
  );
  const name = lab.name === 'lab' ? '' : ` --name ${lab.name}`;
  return [
    `Lab ${lab.name}: ${lab.hosts.length} hosts, virtual address ${lab.vip}`,
    ...hosts,
    '',
    `  log in     kubewright lab ssh${name} ${lab.hosts[0]?.name}`,
    `  or         ssh -F ${lab.files.sshConfig} ${lab.hosts[0]?.name}`,
    `  install    kubewright install ${lab.files.clusterFile}`,
    `  remove     kubewright lab down${name}`,
    ...passwordLines(lab),
    '',
  ].join('\n');
}

/** How the worker learns a password that was generated: it is in a file, and never printed. */
function passwordLines(lab: Lab): string[] {
  const names = [...new Set(lab.hosts.map(({ planned }) => planned.sudoPasswordEnv).filter((name) => name !== null))];
  return names
    .filter((name) => !process.env[name])
    .map((name) => `  password   export ${name}="$(cat ${lab.files.sudoPassword})"`);
}

/** `kubewright lab down`. */
export async function downCommand(options: DownOptions, progress: Progress): Promise<void> {
  if (!options.all && !options.leftovers) {
    await takeDown(options.name);
    progress(`lab ${options.name} is gone`);
    return;
  }
  const names = options.all ? await takeDownAll() : await clearLeftovers();
  progress(names.length > 0 ? `gone: ${names.join(', ')}` : 'nothing to remove');
}

/** `kubewright lab clean`. Refused while a lab is up, for its hosts run on the base image in the cache. */
export async function cleanCommand(): Promise<void> {
  const labs = await registeredLabs();
  if (labs.length > 0) {
    throw new KubewrightError('KW616', `The cache is in use: there are labs (${labs.join(', ')}).`, {
      hint: 'kubewright lab down --all removes them.',
    });
  }
  await cleanCache();
}
