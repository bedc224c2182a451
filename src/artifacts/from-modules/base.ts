import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../package-root.js';
import { type Layer, layerOf } from '../oci/image.js';
import { fileContent, type TarEntry } from '../oci/tar.js';
import type { Architecture } from '../recipes.js';
import { CHECK_TOOL_PACKAGES, checkToolEntries } from './check-tools.js';
import { unpackDebianPackages } from './debian.js';
import { copy, type Files, listFiles, programEntries, symlink, text } from './debian-files.js';

/** One static program that stands in for a shell and everything around it. */
export const BUSYBOX_PACKAGES = ['busybox-static'];

/** What kube-proxy and flannel call, and the libraries of it; `libraryClosure` fails when one is missing here. */
const NETFILTER_PACKAGES = [
  ...['iptables', 'libip4tc2', 'libip6tc2', 'libxtables12', 'libmnl0', 'libnftnl11', 'libnfnetlink0'],
  ...['nftables', 'libnftables1', 'libjansson4', 'libgmp10', 'libedit2', 'libbsd0', 'libmd0', 'libtinfo6'],
  ...['conntrack', 'libnetfilter-conntrack3', 'ipset', 'libipset13', 'libc6', 'netbase'],
];

const CERTIFICATE_PACKAGES = ['ca-certificates'];

const NETFILTER_PROGRAMS = ['xtables-nft-multi', 'xtables-legacy-multi', 'nft', 'conntrack', 'ipset'];

/** Names under which busybox is found: what init containers, probes and a person with `kubectl exec` ask for. */
const APPLETS =
  'sh ash cat cp mv rm ln ls mkdir rmdir chmod chown touch grep egrep sed awk head tail wc sort cut tr tee find xargs ' +
  'echo printf test true false sleep date env id hostname ps kill top df du free mount umount dmesg sysctl modprobe ' +
  'lsmod ip ping ping6 nslookup nc wget traceroute netstat vi less tar gzip gunzip timeout which stat readlink';

/** Layers and files that several images share. */
export interface BaseLayers {
  busybox: Layer;
  /** iptables (nft and legacy), nft, ipset, conntrack with their libraries and plugins; goes on top of `busybox`. */
  netfilter: Layer;
  /** curl, dig, nc, getent and bash with their libraries, for the check image alone; goes on top of `busybox`. */
  checkTools: Layer;
  /** `/etc/ssl/certs/ca-certificates.crt`, for programs that ask servers outside of the cluster. */
  certificates: TarEntry[];
  /** Debian package → version. */
  versions: Record<string, string>;
}

/** Makes the shared layers from Debian packages; `directory` is scratch space that must outlive the layers' use. */
export async function makeBaseLayers(
  architecture: Architecture,
  directory: string,
  signal?: AbortSignal,
): Promise<BaseLayers> {
  const packages = [...BUSYBOX_PACKAGES, ...NETFILTER_PACKAGES, ...CERTIFICATE_PACKAGES, ...CHECK_TOOL_PACKAGES];
  const { root, versions } = await unpackDebianPackages(packages, architecture, directory, signal);
  const files = await listFiles(root);
  const certificates = await certificateEntries(root, files);
  const checkTools = await checkToolEntries(root, files, architecture, directory);
  return {
    busybox: await layerOf(await busyboxEntries(root)),
    netfilter: await layerOf(await netfilterEntries(root, files)),
    checkTools: await layerOf([...checkTools, ...certificates]),
    certificates,
    versions,
  };
}

/** What makes an image that a person can look around in: busybox under its names, and accounts. */
export async function busyboxEntries(root: string): Promise<TarEntry[]> {
  const links = ['bin', 'sbin', 'lib', 'lib64'].map((path) => symlink(path, `usr/${path}`));
  const folders = ['usr/sbin', 'usr/lib', 'usr/lib64'].map((path): TarEntry => ({ path, type: 'directory' }));
  return [
    ...links,
    ...folders,
    ...accountEntries(),
    { path: 'usr/bin/busybox', type: 'file', mode: 0o755, content: await fileContent(join(root, 'bin/busybox')) },
    ...APPLETS.split(' ').map((name) => symlink(`usr/bin/${name}`, 'busybox')),
  ];
}

/** What even an image of one static program should have: names for its users, and a place for temporary files. */
export function accountEntries(): TarEntry[] {
  const users = [
    'root:x:0:0:root:/root:/bin/sh',
    'nonroot:x:65532:65532::/:/bin/false',
    'nobody:x:65534:65534::/:/bin/false',
  ];
  const groups = ['root:x:0:', 'nonroot:x:65532:', 'nogroup:x:65534:'];
  return [
    text('etc/passwd', users),
    text('etc/group', groups),
    text('etc/nsswitch.conf', ['hosts: files dns']),
    { path: 'tmp', type: 'directory', mode: 0o1777 },
    { path: 'run', type: 'directory' },
  ];
}

async function netfilterEntries(root: string, files: Files): Promise<TarEntry[]> {
  const programs = NETFILTER_PROGRAMS.map((name) => `usr/sbin/${name}`);
  const plugins = [...files.keys()].filter((path) => /^usr\/lib\/[^/]+\/xtables\/.*\.so$/.test(path));
  const wrapper = await readFile(join(packageRoot(), 'src/artifacts/from-modules/iptables-wrapper.sh'));
  return [
    ...(await programEntries(root, files, [...programs, ...plugins])),
    ...(await Promise.all(['etc/protocols', 'etc/services'].map((path) => copy(root, files, path)))),
    { path: 'usr/sbin/iptables-wrapper', type: 'file', mode: 0o755, content: wrapper },
    ...iptablesLinks(),
  ];
}

function iptablesLinks(): TarEntry[] {
  const families = ['iptables', 'ip6tables'];
  const forms = ['', '-save', '-restore'];
  return families.flatMap((family) =>
    forms.flatMap((form) => [
      symlink(`usr/sbin/${family}${form}`, 'iptables-wrapper'),
      symlink(`usr/sbin/${family}-nft${form}`, 'xtables-nft-multi'),
      symlink(`usr/sbin/${family}-legacy${form}`, 'xtables-legacy-multi'),
    ]),
  );
}

/** What `update-ca-certificates` does when a package is installed: all certificates, one after the other. */
async function certificateEntries(root: string, files: Files): Promise<TarEntry[]> {
  const certificates = [...files].filter(([path]) => /^usr\/share\/ca-certificates\/.*\.crt$/.test(path)).sort();
  const texts = await Promise.all(certificates.map(([, source]) => readFile(join(root, source), 'utf8')));
  const bundle = texts.map((pem) => `${pem.trimEnd()}\n`).join('');
  return [{ path: 'etc/ssl/certs/ca-certificates.crt', type: 'file', content: Buffer.from(bundle) }];
}
