import { compareVersions } from '../../compare-versions.js';
import { KubewrightError } from '../../errors.js';
import type { PackageNeeds } from '../packages.js';
import { debianFamily } from './debian/family.js';
import { type OsRelease, parseOsRelease } from './os-release.js';
import type { DistributionFamily, DistributionVerdict, PackageFacts } from './types.js';

export { type OsRelease, parseOsRelease } from './os-release.js';
export type { DistributionFamily, DistributionVerdict, PackageFacts, PackageGoal, PackageState } from './types.js';

/** The oldest release of each distribution whose systemd, containerd and apt do what the steps ask of them. */
const OLDEST: Record<string, { version: string; family: DistributionFamily }> = {
  debian: { version: '12', family: debianFamily },
  ubuntu: { version: '22.04', family: debianFamily },
};

/** Releases that the tests install on; every other one is taken with a warning. */
const PROVEN = new Set(['debian 12']);

/**
 * Which family of distributions a host belongs to, or why it is none that is supported. Relatives of a supported
 * distribution (`ID_LIKE`) are refused too: their archives hold other packages, and no test installs them.
 */
export function distributionOf(os: OsRelease): DistributionVerdict {
  const known = OLDEST[os.id];
  const hint = `Use ${debianFamily.supported} on this host.`;
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
export function familyOf(os: OsRelease): DistributionFamily {
  return OLDEST[os.id]?.family ?? debianFamily;
}

const MARK = '--- packages ---';

/** Read-only script that asks a host which distribution it runs and what is installed; for `parsePackageFacts`. */
export function packageFactsScript(needs: PackageNeeds): string {
  // There is one family so far. The next one is told apart here by its own command (`command -v rpm`).
  return `cat /etc/os-release; echo '${MARK}'\n${debianFamily.factsScript(needs)}`;
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
