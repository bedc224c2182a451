import { randomBytes } from 'node:crypto';
import { gatherFacts } from '../../../activities/remote-facts.js';
import type { StepContext } from '../../../activities/types.js';
import { type PackageFormat, repositoryUrl } from '../../../cluster/package-repository.js';
import type { Role } from '../../../cluster/types.js';
import { KubewrightError } from '../../../errors.js';
import { registerSecret } from '../../../hosts/redact.js';
import type { RemoteHost } from '../../../hosts/types.js';
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
  const root = `/run/kubewright-repository-${randomBytes(6).toString('hex')}`;
  const secret = repositories.files(repository, root).find(({ isSecret }) => isSecret === true);
  const script = repositories.offersScript(repository, packages, context.cluster.packages.proxy, root);
  const facts = await gatherFacts(host, script, context.signal, { timeoutMs: LOOK_MS, input: secret?.content ?? '' });
  return {
    offers: facts.rows('offer').map(([name = '', version = '']) => ({ name, version })),
    failed: facts.rows('repository-failed')[0]?.[0],
  };
}
