import { cleanCache } from '../../src/artifacts/cache/cache.js';
import { KubewrightError } from '../../src/errors.js';
import type { DownOptions, UpOptions } from '../command.js';
import { clearLeftovers, type HostKind, type Lab, labUp, takeDown, takeDownAll } from '../hosts/index.js';
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

function describe(lab: Lab): string {
  const width = Math.max(...lab.hosts.map(({ name }) => name.length));
  const hosts = lab.hosts.map(({ name, address, planned }) =>
    `  ${name.padEnd(width)}  ${address.padEnd(15)}  ${[planned.role, ...planned.kinds].join(', ')}`.trimEnd(),
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
