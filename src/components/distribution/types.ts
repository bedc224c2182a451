import type { Role } from '../../cluster/types.js';
import type { PackageNeeds } from '../packages.js';
import type { OsRelease } from './os-release.js';
import type { Repositories } from './repositories.js';

/** A package that is, or shall be, on a host. */
export interface PackageState {
  name: string;
  /** Empty when it is not installed. */
  version: string;
  /** False also for what is unpacked but not configured: an installation that was interrupted. */
  installed: boolean;
  /** Whether the package manager leaves it alone when the system is upgraded. */
  held: boolean;
}

/** What a host's package manager said. */
export interface PackageFacts {
  packages: PackageState[];
  /** Units that an interrupted installation left held off (see `installScript`). */
  heldOffUnits: string[];
}

/** What shall be true of a host's packages. */
export interface PackageGoal {
  /** Every package that must be installed. */
  install: string[];
  /** Those of them that an upgrade of the system must leave alone. */
  hold: string[];
  /** Units that come with them, and must not start before they are configured. */
  units: string[];
}

/**
 * The seam between distributions: everything that differs by package manager. Steps see only this, so another family is
 * another value of this type and nothing else.
 */
export interface DistributionFamily {
  /** Words of `ID` and `ID_LIKE` in os-release(5) by which a host is known to belong to it. */
  readonly ids: readonly string[];
  /** For people: the package manager. */
  readonly manager: string;
  /** For people: where that is told of a proxy. */
  readonly proxySetting: string;
  /** For people: what a supported host may run. */
  readonly supported: string;
  /** For people: what the tests install on. */
  readonly proven: string;
  /** For people: installs what the steps call on every host. */
  readonly toolsCommand: string;
  /** For people: upgrades packages that are installed. */
  upgradeCommand(packages: string[]): string;
  /**
   * What must be installed on a host of this role, given what is there already.
   *
   * @param needs of the components that come there, by Debian's names
   * @returns names as this family calls them
   */
  goal(role: Role, needs: PackageNeeds, present: PackageFacts): PackageGoal;
  /**
   * Read-only script, a moment long; `parseFacts` understands what it prints.
   *
   * @param needs of the components of the cluster, on hosts of any role
   */
  factsScript(needs: PackageNeeds): string;
  parseFacts(stdout: string): PackageFacts;
  /**
   * Script that installs and holds packages: waits for other package managers, repairs an interrupted installation where that
   * is possible, and leaves services that come with the packages stopped until they are configured. May be repeated at any
   * point.
   *
   * @param proxy URL of the proxy for this transaction; null: as the package manager's own configuration says
   */
  installScript(goal: PackageGoal, proxy: string | null): string;
  /** Packages in certain versions, from repositories of others. */
  readonly repositories: Repositories;
  /** What went wrong, read from the script's output. */
  explain(output: string): PackageFailure;
  /**
   * Bash functions for the preflight, which changes nothing and takes silence for "not known": `package_proxies` prints
   * `http_proxy=URL` where the package manager is configured with one, `packaged PATH` is true for a file that is as a package
   * brought it, and `candidate NAME` prints the version of a package that would be installed.
   *
   * @param packages whose files `packaged` may be asked for
   */
  hostFacts(packages: readonly string[]): string;
}

export interface PackageFailure {
  code: string;
  message: string;
  hint: string;
  transient: boolean;
}

/** A mirror that is changed meanwhile, a proxy with an old copy, or somebody who changes packages on their way. */
export const OTHER_BYTES: PackageFailure = {
  code: 'KW447',
  message: 'what came is not what the list of its repository says',
  hint: 'Nothing of it was installed. Retry the step: a mirror that is being brought up to date is whole again soon. Where it stays so, a proxy or the mirror itself has another file than the one that was signed: see there.',
  transient: false,
};

export type DistributionVerdict =
  | { supported: true; family: DistributionFamily; os: OsRelease; proven: boolean }
  | { supported: false; reason: string; hint: string; os: OsRelease };
