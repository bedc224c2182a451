import { Command, InvalidArgumentError, Option } from 'commander';

/**
 * `kubewright lab …`. Only commander is loaded here: what an action needs it imports itself, so that `kubewright --help`
 * does not pay for it. Actions print results to stdout and progress to stderr; errors are thrown for the caller to show.
 */
export function labCommand(): Command {
  const lab = new Command('lab').description('rehearsal hosts on this machine: real systemd, sshd, network and disks');
  // For `lab ssh HOST ls -l`: what follows the host belongs to the remote command.
  lab.enablePositionalOptions();
  addUpAndDown(lab);
  addStatusAndSsh(lab);
  addPower(lab);
  addFaults(lab);
  return lab;
}

const nameOption = (): Option => new Option('--name <name>', 'name of the lab').default('lab');

const progress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a whole number above zero.');
}

/** For options that may be repeated. */
const collect = (text: string, former: string[]): string[] => [...former, text];

function addUpAndDown(lab: Command): void {
  lab
    .command('up')
    .description('make a lab and wait until SSH answers on every host')
    .addOption(nameOption())
    .addOption(new Option('--hosts <number>', 'how many hosts (5, or 7 with external etcd)').argParser(count))
    .addOption(new Option('--topology <topology>', 'what the hosts are for').choices(['stacked', 'external-etcd']))
    .addOption(
      new Option('--cluster <file>', 'make exactly the hosts of this cluster.yaml').conflicts(['hosts', 'topology']),
    )
    .option('--kubernetes <version>', 'Kubernetes version for the cluster.yaml that the lab writes')
    .addOption(new Option('--disk <GiB>', "size of each host's disk").argParser(count))
    .addOption(
      new Option('--kind <host=kind>', 'sudo, sudo-password, bastion or no-mirror; repeatable')
        .argParser(collect)
        .default([], 'plain hosts'),
    )
    .addOption(
      new Option(
        '--guest <host=distribution:arch>',
        'a kernel of its own, by QEMU: debian-12, debian-13; amd64, arm64; repeatable',
      )
        .argParser(collect)
        .default([], 'hosts share the kernel of this machine'),
    )
    .option('--replace', 'remove a lab of the same name first')
    .action(async (options: UpOptions) => {
      const { upCommand } = await import('./commands/up.js');
      await upCommand(options, progress);
    });
  lab
    .command('down')
    .description('remove a lab and everything it made')
    .addOption(nameOption())
    .addOption(new Option('--all', 'every lab on this machine').conflicts(['name', 'leftovers']))
    .addOption(new Option('--leftovers', 'what labs left whose processes are gone').conflicts(['name']))
    .action(async (options: DownOptions) => {
      const { downCommand } = await import('./commands/up.js');
      await downCommand(options, progress);
    });
  lab
    .command('artifacts')
    .description('make what rehearsals need and is not in the cache (Temporal, a bundle), and print the times')
    .option('--kubernetes <version>', 'Kubernetes version of the bundle')
    .action(async (options: { kubernetes?: string }) => {
      const { prefetch } = await import('./commands/artifacts.js');
      await prefetch(options);
    });
  lab
    .command('clean')
    .description('remove the cache: the base image, bundles, Temporal (`lab up` makes them again)')
    .action(async () => {
      const { cleanCommand } = await import('./commands/up.js');
      await cleanCommand();
    });
}

function addStatusAndSsh(lab: Command): void {
  lab
    .command('status')
    .description('show the hosts of a lab')
    .addOption(nameOption())
    .option('--json', 'for machines')
    .addOption(new Option('--all', 'list all labs of this machine').conflicts('name'))
    .action(async (options: StatusOptions) => {
      const { statusCommand } = await import('./commands/status.js');
      await statusCommand(options);
    });
  lab
    .command('ssh')
    .description('log in to a host, or run a command on it')
    .argument('<host>')
    .argument('[command...]')
    .addOption(nameOption())
    .passThroughOptions()
    .action(async (host: string, command: string[], { name }: NameOption) => {
      const { openLab } = await import('./hosts/index.js');
      process.exitCode = await (await openLab(name)).host(host).sshInteractive(command);
    });
}

function addPower(lab: Command): void {
  const actions = {
    'power-off': ['take the power away: everything on the host dies at once, its disk stays', 'powerOff'],
    'power-on': ['switch a host on and wait until SSH answers', 'powerOn'],
    reboot: ['reboot a host in order and wait until SSH answers', 'reboot'],
    replace: ['put a blank machine with other host keys in its place', 'replace'],
    heal: ["undo every cut of a host's network", 'heal'],
  } as const;
  for (const [command, [description, method]] of Object.entries(actions)) {
    lab
      .command(command)
      .description(description)
      .argument('<host>')
      .addOption(nameOption())
      .action(async (host: string, { name }: NameOption) => {
        const { openLab } = await import('./hosts/index.js');
        await (await openLab(name)).host(host)[method]();
      });
  }
}

function addFaults(lab: Command): void {
  lab
    .command('cut')
    .description("cut a host's network, from everything or from one other host")
    .argument('<host>')
    .option('--from <host>', 'only between these two')
    .addOption(nameOption())
    .action(async (host: string, { name, from }: NameOption & { from?: string }) => {
      const { openLab } = await import('./hosts/index.js');
      const opened = await openLab(name);
      await opened.host(host).cut(from === undefined ? undefined : opened.host(from));
    });
  lab
    .command('fill-disk')
    .description("fill a host's disk to the last block")
    .argument('<host>')
    .option('--free', 'undo it')
    .addOption(nameOption())
    .action(async (host: string, { name, free }: NameOption & { free?: boolean }) => {
      const { openLab } = await import('./hosts/index.js');
      const target = (await openLab(name)).host(host);
      await (free ? target.freeDisk() : target.fillDisk());
    });
}

interface NameOption {
  name: string;
}

export interface UpOptions extends NameOption {
  hosts?: number;
  topology?: 'stacked' | 'external-etcd';
  cluster?: string;
  kubernetes?: string;
  disk?: number;
  replace?: boolean;
  kind: string[];
  guest: string[];
}

export interface DownOptions extends NameOption {
  all?: boolean;
  leftovers?: boolean;
}

export interface StatusOptions extends NameOption {
  json?: boolean;
  all?: boolean;
}
