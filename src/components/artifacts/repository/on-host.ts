import { randomBytes } from 'node:crypto';
import { listed, type Problem } from '../../../activities/prepare/checks/problem.js';
import { type Facts, gatherFacts } from '../../../activities/remote-facts.js';
import type { StepContext } from '../../../activities/types.js';
import { type PackageFormat, repositoryUrl } from '../../../cluster/package-repository.js';
import type { Role } from '../../../cluster/types.js';
import { KubewrightError } from '../../../errors.js';
import { registerSecret } from '../../../hosts/redact.js';
import type { RemoteHost } from '../../../hosts/types.js';
import { PACKAGE_DIRECTORY } from '../../../render/kubelet-unit.js';
import {
  type DistributionFamily,
  distributionOf,
  type ExtraRepository,
  type Offer,
  type PackageState,
  packageFactsScript,
  parseOsRelease,
  parsePackageFacts,
} from '../../distribution/index.js';
import { packagesOf } from './packages.js';
import { settingsOf } from './settings.js';

/** Name of its files on hosts, and its id for dnf. */
export const REPOSITORY = 'kubewright-kubernetes';

/** The slowest mirrors, and the locks of a busy host. */
const LOOK_MS = 180_000;

/**
 * The repository of the packages of Kubernetes, for hosts of one family, with its login from the worker's environment.
 *
 * @throws KubewrightError KW377 where the variable is not set, or holds no NAME:PASSWORD
 */
export function repositoryFor(
  { cluster, secret }: Pick<StepContext, 'cluster' | 'secret'>,
  format: PackageFormat,
): ExtraRepository {
  const settings = settingsOf(cluster);
  const { version } = cluster.kubernetes;
  return {
    name: REPOSITORY,
    title: `Kubernetes ${version.split('.').slice(0, 2).join('.')}`,
    url: repositoryUrl(settings, version, format),
    key: settings.key,
    ca: settings.ca,
    login: settings.loginEnv === null ? null : loginIn(settings.loginEnv, secret(settings.loginEnv)),
  };
}

/** Files of package managers are made of words: no blank may be in it, and none of what stands for something else there. */
function loginIn(variable: string, value: string | undefined): NonNullable<ExtraRepository['login']> {
  const [, name, password] = /^([^:\s$]+):([^\s$]+)$/.exec(value ?? '') ?? [];
  if (name !== undefined && password !== undefined) {
    registerSecret(password);
    return { name, password };
  }
  const what = value === undefined ? 'is not set' : 'does not hold NAME:PASSWORD without blanks and $';
  throw new KubewrightError('KW377', `the variable ${variable} ${what} where the worker runs`, {
    hint: 'packages.repository.loginEnv names it. Set it for the worker, or for the command that starts one, and call the command again.',
  });
}

/** @throws KubewrightError KW302 for a distribution that is not supported */
export async function familyOn(host: RemoteHost, signal: AbortSignal): Promise<DistributionFamily> {
  const { stdout } = await host.run('cat /etc/os-release\n', { signal });
  const verdict = distributionOf(parseOsRelease(stdout));
  if (verdict.supported) return verdict.family;
  throw new KubewrightError('KW302', verdict.reason, { host: host.name, hint: verdict.hint });
}

/** Packages of its role that a host has, in whatever version. */
export async function installedOn(host: RemoteHost, role: Role, signal: AbortSignal): Promise<PackageState[]> {
  const names = packagesOf(role);
  const { stdout } = await host.run(packageFactsScript({ install: names, hold: [], services: [] }), { signal });
  const { packages } = parsePackageFacts(stdout).present;
  return packages.filter(({ name, installed }) => installed && names.includes(name));
}

/** Programs of packages that steps call by name. */
const PROGRAMS: Readonly<Record<string, string>> = {
  kubelet: 'kubelet',
  kubeadm: 'kubeadm',
  kubectl: 'kubectl',
  'cri-tools': 'crictl',
};

/** Where what was put there by hand goes before what packages bring (`TOOL_PATH`). */
const BEFORE_PACKAGES = ['/usr/local/sbin', '/usr/local/bin'] as const;

/**
 * What on a host keeps its packages from being used although they can be had: another file for the same repository, and programs that
 * are found before theirs. Asked without the network, and whatever is installed already.
 */
export async function obstacleOn(
  context: Pick<StepContext, 'cluster' | 'secret' | 'signal'>,
  host: RemoteHost,
  { repositories }: DistributionFamily,
  role: Role,
): Promise<Problem | undefined> {
  const repository = repositoryFor(context, repositories.format);
  const programs = packagesOf(role).flatMap((name) => PROGRAMS[name] ?? []);
  const paths = BEFORE_PACKAGES.flatMap((folder) => programs.map((name) => `${folder}/${name}`));
  const script = `for path in ${paths.join(' ')}; do [ ! -e "$path" ] && [ ! -L "$path" ] || row before "$path"; done
${repositories.conflictScript(repository, lookDirectory())}
`;
  const facts = await gatherFacts(host, script, context.signal);
  return obstacle(host.name, facts, repository.url);
}

function obstacle(host: string, facts: Facts, url: string): Problem | undefined {
  const hosts = [host];
  const before = facts.rows('before').map(([path = '']) => path);
  if (before.length > 0) {
    return {
      code: 'KW392',
      what: `${host} has ${listed(before)}, which would be called in place of what the packages bring to ${PACKAGE_DIRECTORY}`,
      hint: `Remove them, or move them to where they are not on PATH: ${before.map((path) => `mv ${path} /root/`).join('; ')}`,
      hosts,
    };
  }
  const [conflict] = facts.rows('repository-conflict');
  if (conflict === undefined) return undefined;
  const [said = '', files = ''] = conflict;
  const named = files.trim() === '' ? 'another file of its apt' : files.trim().split(' ').join(', ');
  return {
    code: 'KW386',
    what: `${host} knows ${url} by ${named} already, with another key: with both files apt would read none (${said.trim()})`,
    hint: `Take that entry out of ${named}: Kubewright writes one of its own, signed by packages.repository.key. Then \`apt-get update\` shows that apt is well.`,
    hosts,
  };
}

const lookDirectory = (): string => `/run/kubewright-repository-${randomBytes(6).toString('hex')}`;

export interface Offered {
  offers: Offer[];
  /** The package manager's words where it could not read the repository; undefined where it could. */
  failed: string | undefined;
}

/** Asks a host's own package manager what the repository has for it. Nothing on the host is changed. */
export async function offersOn(
  context: Pick<StepContext, 'cluster' | 'secret' | 'signal'>,
  host: RemoteHost,
  { repositories }: DistributionFamily,
  packages: readonly string[],
): Promise<Offered> {
  const repository = repositoryFor(context, repositories.format);
  const root = lookDirectory();
  const secret = repositories.files(repository, root).find(({ isSecret }) => isSecret === true);
  const script = repositories.offersScript(repository, packages, context.cluster.packages.proxy, root);
  const facts = await gatherFacts(host, script, context.signal, { timeoutMs: LOOK_MS, input: secret?.content ?? '' });
  return {
    offers: facts.rows('offer').map(([name = '', version = '']) => ({ name, version })),
    failed: facts.rows('repository-failed')[0]?.[0],
  };
}
