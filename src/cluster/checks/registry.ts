import { runtimeOf } from '../../components/registry/plan.js';
import type { Path } from '../path.js';
import { placeOf } from '../private-registry.js';
import type { Cluster } from '../types.js';
import { checkCertificates } from './certificates.js';
import type { Check } from './index.js';

const PLACE: Path = ['spec', 'packages', 'registry'];

/** A registry of the user's: certificates that are some, no password in clear, and one place that says where images come from. */
export const checkRegistry: Check = (cluster, report) => {
  const { registry } = cluster.packages;
  if (registry === undefined) return;
  const { address, ca, loginEnv } = registry;
  const isPlain = address !== undefined && placeOf(address).scheme === 'http';
  checkCertificates(ca, [...PLACE, 'caFile'], report);
  if (isPlain && loginEnv != null) {
    report.error([...PLACE, 'loginEnv'], 'login-in-clear', {
      message: 'over http everybody on the way reads the password',
      expected: 'an address with https, or no loginEnv',
    });
  }
  if (
    cluster.runtime.type !== undefined &&
    runtimeOf(cluster as Pick<Cluster, 'runtime'>).hasRegistries(cluster as Cluster)
  ) {
    report.error(PLACE, 'registry-twice', {
      message: 'runtime.config says where images come from, too',
      expected: 'either packages.registry, or the registries of runtime.config',
      at: 'key',
    });
  }
};
