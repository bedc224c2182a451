import { Command, InvalidArgumentError, Option } from 'commander';
import type { BundleSource } from '../artifacts/bundle.js';
import type { BundledNetwork } from '../artifacts/official/job.js';
import type { Architecture } from '../artifacts/recipes.js';
import { action, type CommandContext } from './support/action.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

/** As `BUNDLED_NETWORKS`, which comes with all that makes bundles; the compiler holds both alike. */
const NETWORKS: readonly BundledNetwork[] = Object.keys({ calico: 0, cilium: 0 } satisfies Record<
  BundledNetwork,
  0
>) as BundledNetwork[];

interface CreateOptions {
  kubernetes: string;
  arch?: Architecture;
  from?: BundleSource;
  output?: string;
  mirror: string[];
  ca?: string;
  requireSignatures?: boolean;
  loadBalancer: boolean;
  kubeVip?: boolean;
  network: BundledNetwork[];
  runtime: 'crio'[];
}

/**
 * `kubewright bundle …`. Only commander, and what makes actions, is loaded here: what an action needs it imports itself, so that `kubewright
 * --help` does not pay for it. Results go to stdout, progress to stderr; errors are thrown for the caller to show.
 */
export function bundleCommand(shell: Shell): Command {
  const bundle = new Command('bundle').description('the binaries and images of a Kubernetes version, in one directory');
  bundle
    .command('create')
    .description('make a bundle from published releases, or build it from Go modules')
    .addOption(new Option('--kubernetes <version>', 'such as 1.34.3').argParser(version).makeOptionMandatory())
    .addOption(new Option('--arch <architecture>', "of the hosts; default: this machine's").choices(['amd64', 'arm64']))
    .addOption(
      new Option('--from <source>', 'default: official where dl.k8s.io answers, else modules').choices([
        'official',
        'modules',
      ]),
    )
    .option('--output <directory>', 'put the bundle there as well as into the cache; must not exist')
    .addOption(
      new Option('--mirror <url>', 'ask this address instead: URL for all origins, HOST=URL for one; repeatable')
        .argParser((text: string, former: string[]) => [...former, text])
        .default([], 'the official ones'),
    )
    .option('--ca <file>', 'trust these certificate authorities as well, for mirrors (PEM; also: SSL_CERT_FILE)')
    .option('--require-signatures', 'refuse what its publisher signs where that could not be verified')
    .option('--no-load-balancer', "official: leave out HAProxy and keepalived, which come from Debian's archive")
    .option('--kube-vip', "official: bring kube-vip's image along, beside HAProxy and keepalived")
    .addOption(
      new Option('--network <plugin>', 'official: bring this pod network along, beside flannel; repeatable')
        .argParser(network)
        .default([], 'none'),
    )
    .addOption(
      new Option('--runtime <runtime>', 'official: bring this container runtime along, beside containerd')
        .argParser(runtime)
        .default([], 'none'),
    )
    .action(async (options: CreateOptions) => {
      const { createBundle } = await import('../artifacts/create.js');
      await createBundle(options);
    });
  bundle
    .command('verify')
    .description('compare every file of a bundle with its bundle.json')
    .argument('<directory>')
    .action(async (directory: string) => {
      const { verifyBundleDirectory } = await import('../artifacts/create.js');
      await verifyBundleDirectory(directory);
    });
  bundle
    .command('list')
    .description('show the bundles in the cache: what is in them, whether they are whole, where they lie')
    .option('--json', 'print one JSON object a line, for programs')
    .action(action(shell, list));
  return bundle;
}

async function list({ output }: CommandContext): Promise<ExitCode> {
  const { listBundles } = await import('../artifacts/list.js');
  const listings = await listBundles();
  if (output.json) {
    for (const listing of listings) output.object({ type: 'bundle', ...listing });
    return EXIT.ok;
  }
  if (listings.length === 0) {
    const { cacheDirectory } = await import('../bundle/cache-directory.js');
    output.line(
      `There is no bundle in ${cacheDirectory()}. Make one with \`kubewright bundle create --kubernetes VERSION\`.`,
    );
    return EXIT.ok;
  }
  const { bundleLines } = await import('../terminal/bundles.js');
  for (const line of bundleLines(listings, output.theme, output.columns)) output.line(line);
  return EXIT.ok;
}

function network(text: string, former: BundledNetwork[]): BundledNetwork[] {
  const known = NETWORKS.find((each) => each === text);
  if (known === undefined) throw new InvalidArgumentError(`Known: ${NETWORKS.join(', ')}. flannel is in every bundle.`);
  return [...new Set([...former, known])];
}

function runtime(text: string): 'crio'[] {
  if (text !== 'crio') throw new InvalidArgumentError('Known: crio. containerd is in every bundle.');
  return ['crio'];
}

function version(text: string): string {
  const plain = text.replace(/^v/, '');
  if (/^\d+\.\d+\.\d+$/.test(plain)) return plain;
  throw new InvalidArgumentError('Give all three parts of a version, such as 1.34.3.');
}
