import { runtimeOf } from '../../components/registry/plan.js';
import type { Path } from '../path.js';
import { placeOf } from '../private-registry.js';
import type { Cluster } from '../types.js';
import type { Check } from './index.js';

const PLACE: Path = ['spec', 'packages', 'registry'];
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/;

/** A registry of the user's: certificates that are some, no password in clear, and one place that says where images come from. */
export const checkRegistry: Check = (cluster, report) => {
  const { registry } = cluster.packages;
  if (registry === undefined) return;
  const { address, ca, loginEnv } = registry;
  const isPlain = address !== undefined && placeOf(address).scheme === 'http';
  if (typeof ca === 'string' && !CERTIFICATES.test(ca)) {
    report.error([...PLACE, 'caFile'], 'no-certificates', {
      message: ca.includes('PRIVATE KEY') ? 'it holds a private key, and no certificate' : 'it holds no certificate',
      expected: 'a file with -----BEGIN CERTIFICATE-----',
    });
  }
  if (typeof ca === 'string' && /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(ca)) {
    report.error([...PLACE, 'caFile'], 'secret', {
      message: 'it holds a private key, which would stand in the plan in clear',
      expected: 'certificates alone',
    });
  }
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
