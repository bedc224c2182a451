import { join } from 'node:path';
import { fileContent, type TarEntry } from '../oci/tar.js';
import type { Architecture } from '../recipes.js';
import { compileC } from './c-compiler.js';
import { type Files, programEntries, symlink } from './debian-files.js';

/**
 * What Kubernetes' own suite runs in agnhost and in its DNS image, and the libraries of it that base.ts does not name
 * already; `libraryClosure` fails when one is missing.
 */
export const CHECK_TOOL_PACKAGES = [
  ...['bash', 'libc-bin', 'netcat-openbsd'],
  ...[
    'bind9-dnsutils',
    'bind9-libs',
    'libuv1',
    'libfstrm0',
    'libprotobuf-c1',
    'libjson-c5',
    'liblmdb0',
    'libmaxminddb0',
  ],
  ...['libjemalloc2', 'libxml2', 'liblzma5', 'libicu72', 'libstdc++6', 'libgcc-s1'],
  ...['curl', 'libcurl4', 'libbrotli1', 'libzstd1', 'zlib1g', 'libnghttp2-14', 'libpsl5', 'libidn2-0', 'libunistring2'],
  ...['libssl3', 'libssh2-1', 'libldap-2.5-0', 'libsasl2-2', 'librtmp1', 'libgnutls30', 'libnettle8', 'libhogweed6'],
  ...['libp11-kit0', 'libffi8', 'libtasn1-6', 'libgssapi-krb5-2', 'libkrb5-3', 'libk5crypto3', 'libkrb5support0'],
  ...['libcom-err2', 'libkeyutils1'],
];

const PROGRAMS = ['usr/bin/bash', 'usr/bin/curl', 'usr/bin/dig', 'usr/bin/getent', 'usr/bin/nc.openbsd'];

/** busybox's programs that the suite's scripts call, beyond those that every image has. */
const APPLETS = ['seq', 'mktemp', 'dd', 'expr', 'base64', 'sha256sum'];

/**
 * The tools of the check image, for a layer on top of busybox's, whose `sh` and `nc` they take the place of: busybox's nc
 * lacks options that the suite uses, and busybox's shell runs busybox's own programs whatever PATH says.
 *
 * @param directory scratch space that must outlive the entries' use
 * @throws KW710 when the C compiler fails, KW712 when Debian has split a package in another way
 */
export async function checkToolEntries(
  root: string,
  files: Files,
  architecture: Architecture,
  directory: string,
): Promise<TarEntry[]> {
  const entries = await programEntries(root, files, PROGRAMS);
  return [
    ...(await Promise.all(entries.map((entry) => withoutUnicodeData(entry, architecture, directory)))),
    symlink('usr/bin/sh', 'bash'),
    symlink('usr/bin/nc', 'nc.openbsd'),
    ...APPLETS.map((name) => symlink(`usr/bin/${name}`, 'busybox')),
  ];
}

/**
 * dig is linked with libxml2, for statistics that only named writes, and libxml2 with ICU, for encodings of XML: 30 MB of
 * tables that nothing here reads, half of the layer. A library of the same name takes their place, with the one symbol that
 * the loader looks for; ICU looks into it when a table is asked for, and would say that there is none.
 */
async function withoutUnicodeData(entry: TarEntry, architecture: Architecture, directory: string): Promise<TarEntry> {
  const [, soname, version] = /\/(libicudata\.so\.(\d+))$/.exec(entry.path) ?? [];
  if (soname === undefined) return entry;
  const output = join(directory, soname);
  const flags = ['-shared', '-nostdlib', '-s', `-Wl,-soname,${soname}`];
  const code = `const char icudt${version}_dat[64] = {0};\n`;
  await compileC(soname, [...flags, '-o', output, '-x', 'c', '-'], architecture, code);
  return { path: entry.path, type: 'file', mode: 0o755, content: await fileContent(output) };
}
