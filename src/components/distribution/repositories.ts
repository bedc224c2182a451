import { posix } from 'node:path';
import type { PackageFormat } from '../../cluster/package-repository.js';
import { quote } from '../../hosts/shell.js';
import { UNSET_PROXIES } from './patiently.js';

/** A repository that is not the distribution's, as one host gets it. */
export interface ExtraRepository {
  /** Of its files, and its id where a family gives one. */
  name: string;
  /** For people, one line. */
  title: string;
  /** With a slash at its end. */
  url: string;
  /** What signs it, in ASCII armour. */
  key: string;
  /** Certificate authorities to trust for its host, PEM; null: the host's own. */
  ca: string | null;
  /** null: it wants none. */
  login: { name: string; password: string } | null;
}

/** A file by which a package manager knows a repository. */
export interface RepositoryFile {
  path: string;
  content: string;
  mode: number;
  /** A login is in it: it goes through no script. At most one of the files is so. */
  isSecret?: true;
}

/** A package in one version that a repository has for the host's architecture. */
export interface Offer {
  name: string;
  /** As the family writes it, with the release of the package: `1.37.2-1.1`. */
  version: string;
}

/** The part of a family that gets packages in certain versions from repositories of others. */
export interface Repositories {
  readonly format: PackageFormat;
  /**
   * Files by which the package manager knows a repository.
   *
   * @param root directory below which they shall lie and look for each other; left out: the host's own
   */
  files(repository: ExtraRepository, root?: string): RepositoryFile[];
  /** Paths of files that a repository of this name may have: one that is not wanted now was wanted before. */
  paths(name: string): string[];
  /**
   * Bash for `gatherFacts` that asks the real package manager, below `root` and with nothing of the host touched, what a repository
   * has: `row offer NAME VERSION` for each version, and `row repository-failed WORDS` where it could not be read. The content of
   * the secret file comes on standard input.
   *
   * @param root empty directory of its own, which the script makes and removes
   * @param proxy as with `installScript` of the family
   */
  offersScript(repository: ExtraRepository, packages: readonly string[], proxy: string | null, root: string): string;
  /**
   * Bash for `gatherFacts`, without the network, that asks whether the files of the repository go with those that a host has:
   * `row repository-conflict WORDS FILES` where the package manager would read none of them any more, with the host's files that name
   * the same repository.
   *
   * @param root as with `offersScript`
   */
  conflictScript(repository: ExtraRepository, root: string): string;
  /**
   * Script that installs packages in these versions and holds packages, as `installScript` of the family does it. Where none is to be
   * installed the repository is not asked.
   *
   * @param name of the repository, whose files are there
   * @param hold names, those that are installed among them
   */
  installScript(
    name: string,
    packages: { install: readonly Offer[]; hold: readonly string[] },
    proxy: string | null,
  ): string;
}

/** Bash around the question of a family: its files below a directory that is gone afterwards, whatever came of it. */
export function lookBelow(root: string, files: readonly RepositoryFile[], question: string): string {
  const folders = [...new Set(files.map(({ path }) => posix.dirname(path)))];
  const plain = files.filter(({ isSecret }) => isSecret !== true);
  const secret = files.find(({ isSecret }) => isSecret === true);
  return `look() (
  umask 077
  ${UNSET_PROXIES}
  trap 'rm -rf ${root}' EXIT
  rm -rf ${root} && mkdir -p ${[root, ...folders].join(' ')} || exit
${plain.map(({ path, content }) => `  printf %s ${quote(content)} >${path}\n`).join('')}${secret === undefined ? '' : `  cat >${secret.path}\n`}${question}
)
look
`;
}

/** Bash: what a package manager said, as the values of a row may be. */
export const SAID = `said() { tail -c 900 "$1" | tr '\\n\\t' '  '; }`;
