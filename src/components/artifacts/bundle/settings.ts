import { type KeyChanges, used } from '../../../cluster/key-change.js';

/** `spec.packages`, resolved, but for what every source has. */
export interface BundleSettings {
  source: 'bundle';
  /** Bundle directory on the worker; null: the worker's cache, by version and the host's architecture. */
  bundle: string | null;
}

export const DEFAULTS = {
  /** The worker's cache, by Kubernetes version and the host's architecture. */
  bundle: null,
} as const;

export const CHANGES: KeyChanges = { 'spec.packages.bundle': used };
