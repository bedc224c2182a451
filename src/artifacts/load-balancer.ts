import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { LOAD_BALANCER_IMAGE } from '../bundle/image-names.js';
import { LOAD_BALANCER_FOLDER } from '../bundle/programs.js';
import type { BundleImage } from '../bundle/schema.js';
import { releaseDirectory } from '../render/program-paths.js';
import { carryPrograms, namedPackages, upstreamVersion } from './carried.js';
import { archiveName } from './contents.js';
import { BUSYBOX_PACKAGES, busyboxEntries } from './from-modules/base.js';
import { unpackDebianPackages } from './from-modules/debian.js';
import { type Files, listFiles, programEntries } from './from-modules/debian-files.js';
import type { Tool } from './go/tools.js';
import { writeArchive } from './oci/archive.js';
import { imageOf, layerOf } from './oci/image.js';
import type { Architecture } from './recipes.js';

/** Raised with every change of what the programs of a bundle's load balancer are made of, or how. */
export const LOAD_BALANCER_REVISION = 1;

/** What making it runs besides apt and dpkg. */
export const LOAD_BALANCER_TOOLS: Tool[] = [
  { path: 'patchelf', packages: ['patchelf'] },
  { path: 'readelf', packages: ['binutils'] },
  { path: 'dpkg-deb', packages: ['dpkg'] },
  { path: 'zstd', packages: ['zstd'] },
];

/** The two programs by their paths in Debian's packages. */
const PROGRAMS = ['usr/sbin/haproxy', 'usr/sbin/keepalived'];

/** Debian's packages of both, and of the libraries that they need; `libraryClosure` fails when one is missing here. */
const PACKAGES = [
  ...['haproxy', 'libc6', 'libcrypt1', 'libssl3', 'liblua5.3-0', 'libsystemd0', 'libpcre2-8-0', 'libstdc++6'],
  ...['libgcc-s1', 'libopentracing-c-wrapper0', 'libopentracing1', 'libcap2', 'libgcrypt20', 'libgpg-error0'],
  ...['liblzma5', 'liblz4-1', 'libzstd1', 'zlib1g'],
  ...['keepalived', 'libnl-3-200', 'libnl-genl-3-200', 'libnftnl11', 'libmnl0', 'libglib2.0-0', 'libffi8'],
  ...['libmount1', 'libblkid1', 'libselinux1', 'libudev1'],
  // For SNMP, which Debian's keepalived is linked with.
  ...['libsnmp40', 'libperl5.36', 'libpci3', 'libsensors5', 'libwrap0', 'libnsl2', 'libtirpc3', 'libgssapi-krb5-2'],
  ...['libkrb5-3', 'libk5crypto3', 'libkrb5support0', 'libcom-err2', 'libkeyutils1'],
];

export interface LoadBalancerBuild {
  architecture: Architecture;
  /** Empty directory for packages and what is in them. */
  scratch: string;
  signal?: AbortSignal | undefined;
}

/** HAProxy and keepalived as they are in a bundle. */
export interface MadeLoadBalancer {
  /** For bundle.json: of the whole under `load-balancer` and `load-balancer-image`, and of each package. */
  versions: Record<string, string>;
  images: BundleImage[];
}

/**
 * Puts HAProxy and keepalived into a bundle: Debian's programs with every library that they need and the loader, in one
 * folder, so that they run on any distribution and no host needs a mirror for them. The programs name the loader by its
 * path on the host, and look for libraries beside themselves before anywhere else. The same programs make an image, for
 * clusters that run them as static pods.
 *
 * @param directory of the bundle
 * @throws KW711 packages are not to be had, KW712 a library is not in any of them, KW714 patchelf fails
 */
export async function makeLoadBalancer(
  directory: string,
  { architecture, scratch, signal }: LoadBalancerBuild,
): Promise<MadeLoadBalancer> {
  const { root, versions } = await unpackDebianPackages(
    [...PACKAGES, ...BUSYBOX_PACKAGES],
    architecture,
    scratch,
    signal,
  );
  const release = releaseName(versions);
  const files = await listFiles(root);
  await carryPrograms({
    title: 'HAProxy and keepalived',
    root,
    files,
    programs: PROGRAMS,
    folder: join(directory, LOAD_BALANCER_FOLDER),
    home: releaseDirectory('load-balancer', release),
    instead: "`loadBalancer.source: distribution` takes each host's own packages.",
    signal,
  });
  const image = await writeImage(directory, root, files, { release, architecture });
  return {
    versions: { 'load-balancer': release, 'load-balancer-image': release, ...namedPackages(versions) },
    images: [image],
  };
}

/** One image for both: they share most libraries. busybox is for keepalived's check of HAProxy, which is a script. */
async function writeImage(
  directory: string,
  root: string,
  files: Files,
  { release, architecture }: { release: string; architecture: Architecture },
): Promise<BundleImage> {
  const name = `${LOAD_BALANCER_IMAGE}:${release}`;
  const layers = [
    await layerOf(await busyboxEntries(root)),
    await layerOf(await programEntries(root, files, PROGRAMS)),
  ];
  const file = archiveName(name);
  const written = await writeArchive(imageOf([name], architecture, {}, layers), join(directory, file));
  return { file, names: [name], neededBy: 'load-balancer', version: release, ...written };
}

/**
 * `2.6.12-2.2.7-1a2b3c4d`: HAProxy's version, keepalived's, and what changes with any package, for a fixed library is
 * another release too, and what runs is never written over.
 */
function releaseName(versions: Record<string, string>): string {
  const upstream = (name: string): string => upstreamVersion(versions[name]);
  // What is in the image alone makes no other release of the programs.
  const own = Object.entries(versions).filter(([name]) => PACKAGES.includes(name));
  const all = JSON.stringify([LOAD_BALANCER_REVISION, own.sort()]);
  const digest = createHash('sha256').update(all).digest('hex').slice(0, 8);
  return `${upstream('haproxy')}-${upstream('keepalived')}-${digest}`;
}
