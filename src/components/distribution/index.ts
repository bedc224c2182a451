import { compareVersions } from '../../compare-versions.js';
import { KubewrightError } from '../../errors.js';
import type { PackageNeeds } from '../packages.js';
import { debianFamily } from './debian/family.js';
import { type OsRelease, parseOsRelease } from './os-release.js';
import { rhelFamily } from './rhel/family.js';
import type { DistributionFamily, DistributionVerdict, PackageFacts } from './types.js';

export { type OsRelease, parseOsRelease } from './os-release.js';
export type { ExtraRepository, Offer, RepositoryFile } from './repositories.js';
export type { DistributionFamily, DistributionVerdict, PackageFacts, PackageGoal, PackageState } from './types.js';

const FAMILIES: readonly DistributionFamily[] = [debianFamily, rhelFamily];

/** The oldest release of each distribution whose kernel, systemd and package manager do what the steps ask of them. */
const OLDEST: Record<string, { version: string; family: DistributionFamily }> = {
  debian: { version: '12', family: debianFamily },
  ubuntu: { version: '22.04', family: debianFamily },
  // Kernel 4.18 of RHEL 8 and its rebuilds is older than kubeadm takes.
  rhel: { version: '9', family: rhelFamily },
  rocky: { version: '9', family: rhelFamily },
  almalinux: { version: '9', family: rhelFamily },
  centos: { version: '9', family: rhelFamily },
  openEuler: { version: '22.03', family: rhelFamily },
};

/** Releases that the tests install on; every other one is taken with a warning. */
const PROVEN = new Set(['debian 12']);

/**
 * Which family of distributions a host belongs to, or why it is none that is supported. Relatives of a supported
 * distribution (`ID_LIKE`) are refused too: their archives hold other packages, and no test installs them.
 */
export function distributionOf(os: OsRelease): DistributionVerdict {
  const known = OLDEST[os.id];
  const hint = `Use ${FAMILIES.map(({ supported }) => supported).join('; or ')} on this host.`;
  if (known === undefined) {
    return { supported: false, reason: `it runs ${os.prettyName}, which is not supported`, hint, os };
  }
  // Debian testing and unstable carry no VERSION_ID and are newer than any release.
  if (os.versionId !== '' && compareVersions(os.versionId, known.version) < 0) {
    const reason = `it runs ${os.prettyName}, which is older than ${os.id} ${known.version}`;
    return { supported: false, reason, hint, os };
  }
  return { supported: true, family: known.family, os, proven: PROVEN.has(`${os.id} ${os.versionId}`) };
}

/** The family whose words fit a host best, also one that is not supported: for what people are told to do. */
export function familyOf({ id, idLike }: OsRelease): DistributionFamily {
  return (
    OLDEST[id]?.family ?? FAMILIES.find(({ ids }) => [id, ...idLike].some((word) => ids.includes(word))) ?? debianFamily
  );
}

/**
 * Bash that does another thing on each family of distributions, and on none of them another one still. A host is told by its
 * os-release(5), not by the tools that it has: a Debian may have rpm.
 */
function onEachFamily(part: (family: DistributionFamily) => string, otherwise: string): string {
  const cases = FAMILIES.map(
    (family) => `${family.ids.map((id) => `*' ${id} '*`).join('|')})\n${part(family).trimEnd()}\n;;\n`,
  );
  return `case " $(ID='' ID_LIKE=''; . /etc/os-release; echo "$ID $ID_LIKE") " in
${cases.join('')}*)\n${otherwise}\n;;
esac
`;
}

const MARK = '--- packages ---';

/** Read-only script that asks a host which distribution it runs and what is installed; for `parsePackageFacts`. */
export function packageFactsScript(needs: PackageNeeds): string {
  return `cat /etc/os-release; echo '${MARK}'\n${onEachFamily((family) => family.factsScript(needs), ':')}`;
}

/**
 * Bash functions for what the preflight asks of a host's package manager: see `DistributionFamily.hostFacts`. On a host of no
 * family they say nothing.
 */
export function packageFunctions(packages: readonly string[]): string {
  const silent = 'package_proxies() { :; }\npackaged() { false; }\ncandidate() { :; }';
  return onEachFamily((family) => family.hostFacts(packages), silent);
}

/**
 * Reads what `packageFactsScript` printed.
 *
 * @throws KubewrightError KW302 for a distribution that is not supported
 */
export function parsePackageFacts(stdout: string): { family: DistributionFamily; present: PackageFacts } {
  const [os = '', packages = ''] = stdout.split(`${MARK}\n`);
  const verdict = distributionOf(parseOsRelease(os));
  if (!verdict.supported) throw new KubewrightError('KW302', verdict.reason, { hint: verdict.hint });
  return { family: verdict.family, present: verdict.family.parseFacts(packages) };
}
