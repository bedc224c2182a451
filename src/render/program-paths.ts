/** Where the programs of bundles lie on hosts: a folder for each project, and in it one for each of its releases. */
export const PROGRAM_ROOT = '/opt/kubewright';

/** Releases lie side by side: a rolling upgrade has two of them at a time, and one that runs is never written over. */
export function releaseDirectory(project: string, version: string): string {
  return `${PROGRAM_ROOT}/${project}/${version}`;
}
