import { knownMinorOf } from '../../../cluster/minors.js';
import type { Cluster } from '../../../cluster/types.js';
import { compareVersions } from '../../../compare-versions.js';
import type { PackageState } from '../../distribution/types.js';

/** The containerd that is installed, where it is too old. What is installed is not upgraded. */
export function outdated(
  { kubernetes }: Cluster,
  packages: PackageState[],
): { name: string; version: string; oldest: string } | undefined {
  const oldest = knownMinorOf(kubernetes.version).oldestContainerd;
  const installed = packages.find((each) => each.installed && each.name.startsWith('containerd'));
  const version = /\d+\.\d+(\.\d+)?/.exec(installed?.version ?? '')?.[0];
  if (installed === undefined || version === undefined || compareVersions(version, oldest) >= 0) return undefined;
  return { name: installed.name, version: installed.version, oldest };
}
