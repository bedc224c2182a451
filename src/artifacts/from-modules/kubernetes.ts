import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubewrightError } from '../../errors.js';
import type { Architecture } from '../recipes.js';
import { compileC } from './c-compiler.js';

/** Tags that a release of Kubernetes asks for, read from its own sources. */
export interface KubernetesTags {
  coredns: string;
  etcd: string;
  pause: string;
  agnhost: string;
  /** Full names under which the release's own tests ask for what the check image holds: agnhost, and an image with dig. */
  suite: string[];
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
    throw unreadable(path, name);
  };
  return {
    coredns: constant('CoreDNSVersion'),
    etcd: constant('DefaultEtcdVersion'),
    pause: constant('PauseVersion'),
    agnhost: (await readFile(join(source, 'test/images/agnhost/VERSION'), 'utf8')).trim(),
    suite: await readSuiteImages(source),
  };
}

/**
 * The DNS tests also ask from an image of Debian's that has dig and getent: glibc-dns-testing, in older releases jessie-dnsutils.
 *
 * @throws KW713 when the sources do not say it where they used to
 */
async function readSuiteImages(source: string): Promise<string[]> {
  const path = 'test/utils/image/manifest.go';
  const manifest = await readFile(join(source, path), 'utf8');
  const entry =
    /^\s*configs\[(?:Agnhost|GlibcDnsTesting|JessieDnsutils)\]\s*=\s*Config\{list\.PromoterE2eRegistry, "([^"]+)", "([^"]+)"\}/gm;
  const names = [...manifest.matchAll(entry)].map(([, name, tag]) => `registry.k8s.io/e2e-test-images/${name}:${tag}`);
  if (names.length > 0) return names;
  throw unreadable(path, 'which agnhost its tests run');
}

function unreadable(path: string, what: string): KubewrightError {
  return new KubewrightError('KW713', `${path} of this Kubernetes does not say ${what} in the way it used to.`, {
    hint: 'This version cannot be built from modules yet: use --from official.',
  });
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
  await compileC(`pause ${version}`, [...flags, '-o', output, code], architecture);
}
