import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { KubewrightError } from '../../errors.js';
import { cCompiler } from '../go/build.js';
import type { Architecture } from '../recipes.js';

/** Tags that a release of Kubernetes asks for, read from its own sources. */
export interface KubernetesTags {
  coredns: string;
  etcd: string;
  pause: string;
  agnhost: string;
}

/**
 * The tags that kubeadm of this release puts into its manifests (`kubeadm config images list` prints the same, but
 * kubeadm for another architecture does not run here), and the one of the release's agnhost.
 *
 * @param source directory of the module k8s.io/kubernetes
 * @throws KW713 when the sources do not say it where they used to
 */
export async function readTags(source: string): Promise<KubernetesTags> {
  const path = 'cmd/kubeadm/app/constants/constants.go';
  const constants = await readFile(join(source, path), 'utf8');
  const constant = (name: string): string => {
    const value = new RegExp(`^\\s*${name} = "([^"]+)"`, 'm').exec(constants)?.[1];
    if (value) return value;
    throw new KubewrightError('KW713', `${path} of this Kubernetes does not say ${name} in the way it used to.`, {
      hint: 'This version cannot be built from modules yet: use --from official.',
    });
  };
  return {
    coredns: constant('CoreDNSVersion'),
    etcd: constant('DefaultEtcdVersion'),
    pause: constant('PauseVersion'),
    agnhost: (await readFile(join(source, 'test/images/agnhost/VERSION'), 'utf8')).trim(),
  };
}

/**
 * Compares what was built with what this release's kubeadm asks for: an image called 3.7.0-0 with another etcd in it would
 * show only in a cluster that is to be recovered.
 *
 * @param versions of what was built, such as `{ etcd: 'v3.7.0' }`
 * @throws KW713 when they differ
 */
export function requireTagged(kubernetes: string, tags: KubernetesTags, versions: Record<string, string>): void {
  const wanted = { etcd: `v${tags.etcd.replace(/-\d+$/, '')}`, coredns: tags.coredns };
  const wrong = Object.entries(wanted).filter(([name, version]) => versions[name] !== version);
  if (wrong.length === 0) return;
  const words = wrong.map(([name, version]) => `${name} ${version}, and ${versions[name] ?? 'none'} was built`);
  throw new KubewrightError('KW713', `kubeadm of Kubernetes ${kubernetes} asks for ${words.join('; ')}.`, {
    hint: 'The recipe of this version is wrong: report it. Use --from official meanwhile.',
  });
}

/**
 * Compiles the program that holds a pod's namespaces open, as build/pause/Makefile does.
 *
 * @throws KW710 with what the compiler said
 */
export async function buildPause(
  source: string,
  output: string,
  architecture: Architecture,
  version: string,
): Promise<void> {
  const code = join(source, 'build/pause/linux/pause.c');
  const flags = ['-Os', '-Wall', '-Werror', '-static', '-s', `-DVERSION=v${version}`];
  const result = await execa(cCompiler(architecture), [...flags, '-o', output, code], { reject: false });
  if (!result.failed) return;
  throw new KubewrightError('KW710', `Compiling pause ${version} failed.`, {
    hint: 'A C compiler that links statically is needed: gcc and libc6-dev on Debian and Ubuntu.',
    output: (result.stderr || result.shortMessage || '').split('\n').slice(-10).join('\n'),
    cause: result,
  });
}
