import { by, type KeyChanges, section } from '../../../cluster/key-change.js';
import type { PackageRepository } from '../../../cluster/package-repository.js';
import type { Cluster } from '../../../cluster/types.js';

/** `spec.packages`, resolved, but for what every source has. */
export interface RepositorySettings {
  source: 'repository';
  repository: PackageRepository;
}

export const DEFAULTS = {
  /** Where the Kubernetes project publishes packages, a repository for each minor and form. */
  url: 'https://pkgs.k8s.io/core:/stable:/v{minor}/{format}/',
  ca: null,
  loginEnv: null,
} as const;

/** The step writes the files of the repository; packages that are installed stay what they are. */
export const CHANGES: KeyChanges = {
  'spec.packages.repository': section,
  'spec.packages.repository.url': by('binaries'),
  'spec.packages.repository.key': by('binaries'),
  'spec.packages.repository.caFile': by('binaries'),
  'spec.packages.repository.loginEnv': by('binaries'),
};

/** Its settings in a cluster that has chosen it. */
export function settingsOf({ packages }: Pick<Cluster, 'packages'>): PackageRepository {
  // Who asks belongs to this choice, so this is a programming error, not a user's.
  if (!('repository' in packages)) throw new Error('the cluster has another source of artifacts');
  return packages.repository;
}
