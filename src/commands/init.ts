import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Draft } from '../first-steps/draft.js';
import type { Settled } from '../first-steps/settle.js';
import { action, type CommandContext } from './support/action.js';
import { STDIN } from './support/file-argument.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';
import type { WrittenDraft } from './support/write-draft.js';

export interface InitOptions {
  from?: string;
  controlPlanes?: string[];
  workers?: string[];
  etcd?: string[];
  name?: string;
  vip?: string;
  user?: string;
  port?: number;
  keyFile?: string;
  bastion?: string;
  look: boolean;
  force: boolean;
}

/** `kubewright init [FILE]`: the first cluster.yaml, out of addresses or of another tool's file. */
export function initCommand(shell: Shell): Command {
  const hosts = (flag: string, words: string) =>
    new Option(`${flag} <hosts>`, words).argParser((text: string, before: string[] = []) => [...before, text]);
  const ofHosts = ['controlPlanes', 'workers', 'etcd'];
  return new Command('init')
    .summary('write a first cluster.yaml, from addresses or a file of another tool')
    .description(
      'Writes a commented cluster.yaml. The hosts are given by options, asked for on a terminal, or read from an Ansible inventory, a ' +
        'k0sctl.yaml or a kubeone.yaml; what cannot be carried over is told, one line each. It looks at the hosts over SSH, ' +
        'changes nothing there, and proposes a free address for the virtual IP. Exit code 1 when something is left to be filled in.\n\n' +
        'Hosts are [NAME=][USER@]ADDRESS[:PORT], with commas: --control-planes cp-1=10.0.0.11,10.0.0.12,10.0.0.13',
    )
    .argument('[file]', 'file to write, or - for standard output', 'cluster.yaml')
    .addOption(hosts('--control-planes', 'hosts with the API; one, three or five of them'))
    .addOption(hosts('--workers', 'hosts for ordinary pods'))
    .addOption(hosts('--etcd', 'hosts for etcd alone; left out: etcd runs on the control planes'))
    .addOption(new Option('--from <file>', "another tool's file, or - for standard input").conflicts(ofHosts))
    .option('--name <name>', 'name of the cluster')
    .option('--vip <address>', "the cluster's own address: free, in the control planes' subnet")
    .option('--user <user>', 'login user of all hosts; one that is not root needs sudo')
    .option('--port <port>', 'SSH port of all hosts', portOf)
    .option('--key-file <path>', 'private key for all hosts')
    .option('--bastion <host>', 'host through which all hosts are reached: [USER@]ADDRESS[:PORT]')
    .option('--no-look', 'do not look at the hosts')
    .option('--force', 'replace a file that is there; it is kept as a backup', false)
    .action(action<InitOptions, [string]>(shell, init));
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError('A port is a number from 1 to 65535.');
}

async function init(context: CommandContext<InitOptions>, file: string): Promise<ExitCode> {
  const { options, output, shell } = context;
  const { refusePlace, writeDraft } = await import('./support/write-draft.js');
  const { settle } = await import('../first-steps/settle.js');
  const { askForVip, firstDraft } = await import('./support/first-draft.js');
  if (file !== STDIN) await refusePlace(file, options.force);
  const directory = file === STDIN ? process.cwd() : dirname(resolve(file));
  // What does not fit is taken out before anybody is asked about it.
  const { draft } = settle(await firstDraft(context), directory);
  const seen = options.look ? await look(context, draft, directory) : draft;
  const settled = settle(await askForVip(context, seen), directory);
  if (file === STDIN && !output.json) shell.stdout.write(settled.text);
  const written = file === STDIN ? { changed: true } : await writeDraft(file, settled.text, options.force, new Date());
  tell(context, file, settled, written);
  return settled.problems.length > 0 ? EXIT.failed : EXIT.ok;
}

async function look({ output, shell }: CommandContext, draft: Draft, directory: string): Promise<Draft> {
  const { lookAtDraft } = await import('../first-steps/look/index.js');
  const { catchInterrupts } = await import('./support/interrupt.js');
  output.note(`Looking at ${draft.hosts.length === 1 ? 'one host' : `${draft.hosts.length} hosts`} …`);
  const interrupt = catchInterrupts(() => process.exit(EXIT.interrupted));
  try {
    const homeDirectory = shell.env.HOME ?? homedir();
    return await lookAtDraft(draft, { env: shell.env, homeDirectory, directory, signal: interrupt.signal });
  } finally {
    interrupt.dispose();
  }
}

function tell(
  { output }: CommandContext,
  file: string,
  { draft, problems, warnings, text }: Settled,
  written: WrittenDraft,
): void {
  const { name, hosts, settings, leftOut } = draft;
  const notes = [...draft.notes, ...draft.findings, ...warnings.map(({ path, message }) => `${path}: ${message}`)];
  if (output.json) {
    const path = file === STDIN ? null : file;
    const shown = hosts.map(({ name, address = null, role, remarks }) => ({ name, address, role, remarks }));
    const endpoint = settings.vip ?? settings.external?.address ?? null;
    const own = problems.map((problem) => ({ ...problem, file }));
    output.object({
      ...{ type: 'init', cluster: name, path, hosts: shown, endpoint, leftOut, notes, problems: own, ...written },
      ...(path === null && { text }),
    } as const);
    return;
  }
  for (const note of notes) output.note(`note: ${note}`);
  for (const line of leftOut) output.note(`left out: ${line}`);
  const say = (line: string): void => (file === STDIN ? output.note(line) : output.line(line));
  if (file !== STDIN) say(written.changed ? `Wrote ${file}: ${sizeOf(draft)}.` : `${file} is just so already.`);
  if (written.backup !== undefined) say(`What was there before is in ${written.backup}.`);
  if (problems.length > 0) say('Still to be done in it:');
  for (const { line, column, path, message, expected } of problems) {
    say(
      `  ${file === STDIN ? '' : `${file}:`}${line}:${column}: ${path} ${message}${expected === '' ? '' : ` (expected ${expected})`}`,
    );
  }
  if (file !== STDIN) say(`Then: kubewright ${problems.length > 0 ? 'validate' : 'plan'} ${file}`);
}

function sizeOf({ name, hosts }: Draft): string {
  const count = (role: string, one: string): string[] => {
    const number = hosts.filter((host) => host.role === role).length;
    return number === 0 ? [] : [`${number} ${one}${number === 1 ? '' : 's'}`];
  };
  const parts = [
    ...count('control-plane', 'control plane'),
    ...count('worker', 'worker'),
    ...count('etcd', 'etcd host'),
  ];
  return `cluster ${name} with ${parts.join(', ')}`;
}
