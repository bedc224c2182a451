import { knownMinorOf } from '../../../cluster/minors.js';
import type { Cluster } from '../../../cluster/types.js';
import { compareVersions } from '../../../compare-versions.js';
import type { PackageState } from '../../distribution/types.js';
import { versionOfProgram } from './paths.js';
import { type ContainerdSettings, settingsOf } from './settings.js';

/** What runs containers on a host. */
export interface RunningRuntime {
  /** Path of the containerd that runs; empty where none does. */
  program: string;
  /** How many of the kubelet's containers run below it. */
  pods: number;
}

/** Pods that run under a containerd of the other source: none is ever put under another one by an install. */
export function foreignRuntime(
  source: ContainerdSettings['source'],
  { program, pods }: RunningRuntime,
): { what: string; hint: string } | undefined {
  if (pods === 0 || program === '') return undefined;
  const isBundles = versionOfProgram(program) !== undefined;
  if (isBundles === (source === 'bundle')) return undefined;
  const other = isBundles ? 'bundle' : 'distribution';
  return {
    what: `its pods run under ${program}, and runtime.source is ${source}`,
    hint: `An install never puts another containerd under pods that run. Set "runtime.source: ${other}" in cluster.yaml, which keeps it. To change it, drain the node first and stop its kubelet and containers; then retry.`,
  };
}

/** The containerd that is installed, where it is too old. What is installed is not upgraded. */
export function outdated(
  cluster: Cluster,
  packages: PackageState[],
): { name: string; version: string; oldest: string } | undefined {
  if (settingsOf(cluster).source === 'bundle') return undefined;
  const oldest = knownMinorOf(cluster.kubernetes.version).oldestContainerd;
  const installed = packages.find((each) => each.installed && each.name.startsWith('containerd'));
  const version = /\d+\.\d+(\.\d+)?/.exec(installed?.version ?? '')?.[0];
  if (installed === undefined || version === undefined || compareVersions(version, oldest) >= 0) return undefined;
  return { name: installed.name, version: installed.version, oldest };
}
