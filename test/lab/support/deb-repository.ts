import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Signer } from './signer.js';

/** A Debian package that a test makes. */
export interface DebPackage {
  name: string;
  /** With its revision, such as `1.37.2-1.1`. */
  version: string;
  /** Further lines of its control file. */
  control?: string[];
  /** What it runs once it is unpacked, as sh. */
  postinst?: string;
  /** By their paths: a program of this machine to copy, or text. */
  files: Record<string, { from: string } | { text: string; mode: number }>;
}

const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');

/** A flat repository, as pkgs.k8s.io has one for each minor: packages, `Packages`, `Release` and `InRelease` in one folder. */
export async function makeDebRepository(folder: string, packages: readonly DebPackage[], signer: Signer) {
  await mkdir(folder, { recursive: true });
  const entries: string[] = [];
  for (const each of packages) entries.push(await entryOf(folder, await buildDeb(folder, each)));
  const list = `${entries.join('\n')}`;
  await writeFile(join(folder, 'Packages'), list);
  const release = [
    ...['Origin: the lab', 'Architectures: amd64 arm64', `Date: ${new Date().toUTCString().replace('GMT', 'UTC')}`],
    ...['SHA256:', ` ${sha256(list)} ${Buffer.byteLength(list)} Packages`, ''],
  ];
  await writeFile(join(folder, 'Release'), release.join('\n'));
  await signer.signWithin(join(folder, 'Release'), join(folder, 'InRelease'));
}

/** @returns name of the package's file in the folder */
export async function buildDeb(
  folder: string,
  { name, version, control = [], postinst, files }: DebPackage,
): Promise<string> {
  const tree = await mkdtemp(join(tmpdir(), 'kubewright-deb-'));
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const fields = [`Package: ${name}`, `Version: ${version}`, `Architecture: ${architecture}`, ...control];
  fields.push('Maintainer: the lab <lab@example.com>', `Description: ${name}`, '');
  await mkdir(join(tree, 'DEBIAN'), { mode: 0o755 });
  await writeFile(join(tree, 'DEBIAN/control'), fields.join('\n'));
  if (postinst !== undefined) {
    await place(join(tree, 'DEBIAN/postinst'), { text: `#!/bin/sh\nset -e\n${postinst}`, mode: 0o755 });
  }
  for (const [path, content] of Object.entries(files)) await place(join(tree, path), content);
  await chmod(tree, 0o755);
  const file = `${name}_${version}_${architecture}.deb`;
  // Speed is all that counts here.
  await execa('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z1', '--build', tree, join(folder, file)]);
  await rm(tree, { recursive: true });
  return file;
}

async function place(path: string, content: DebPackage['files'][string]): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if ('from' in content) await copyFile(content.from, path);
  else await writeFile(path, content.text);
  await chmod(path, 'from' in content ? 0o755 : content.mode);
}

async function entryOf(folder: string, file: string): Promise<string> {
  const path = join(folder, file);
  const { stdout } = await execa('dpkg-deb', ['--field', path]);
  const { size } = await stat(path);
  return `${stdout.trim()}\nFilename: ./${file}\nSize: ${size}\nSHA256: ${sha256(await readFile(path))}\n`;
}
