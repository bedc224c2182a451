import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeValue, printable } from './describe.js';
import type { Path } from './path.js';
import type { Problem } from './problem.js';
import type { Report } from './report.js';
import type { KubeadmPatch } from './types.js';
import { parseYaml } from './yaml/document.js';
import { decodeText } from './yaml/text.js';

/** kubeadm 1.34, util/patches/patches.go: knownTargets, patchTypes, knownExtensions. */
const TARGETS = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubeletconfiguration',
  'corednsdeployment',
];
const NAME = new RegExp(
  `^(?:${TARGETS.join('|')})[A-Za-z0-9_-]*(?:\\+(?<type>strategic|merge|json))?\\.(?:yaml|json)$`,
);

/** Patches travel with the plan, whose payload Temporal limits (2 MiB, and a warning from 256 KiB on). */
const LARGEST_TOTAL = 128 * 1024;

const DIRECTORY: Path = ['spec', 'kubernetes', 'patchesDirectory'];

/**
 * Reads every kubeadm patch of a directory, so that the worker needs none of the user's files. kubeadm skips what it does not
 * understand, silently but for a line in its log; here it is an error.
 * @param written the directory as it stands in the file
 */
export function readPatches(written: string, base: string, report: Report): KubeadmPatch[] {
  const directory = resolve(base, written);
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => !isAside(name));
  } catch (error) {
    report.error(DIRECTORY, 'unreadable-patches', {
      message: `cannot be read: ${systemReason(error)}`,
      expected: 'a directory with kubeadm patches',
    });
    return [];
  }
  if (names.length === 0) {
    report.warn(DIRECTORY, 'no-patches', { message: 'there is no patch in this directory' });
  }
  const patches = names.sort().flatMap((name) => readPatch(directory, written, name, report));
  if (patches.reduce((sum, { content }) => sum + content.length, 0) > LARGEST_TOTAL) {
    const message = `the patches are larger than ${LARGEST_TOTAL / 1024} KiB, and they travel with the plan`;
    report.error(DIRECTORY, 'patches-too-large', { message });
  }
  return patches;
}

function readPatch(directory: string, written: string, name: string, report: Report): KubeadmPatch[] {
  const file = join(written, name);
  const complain = (code: string, message: string, expected: string): KubeadmPatch[] => {
    report.error(DIRECTORY, code, { message: `${printable(name)}: ${message}`, expected, found: '' });
    return [];
  };
  const match = NAME.exec(name);
  if (match === null) {
    const expected = `target[suffix][+type].yaml with target ${TARGETS.join(', ')} and type strategic, merge or json`;
    return complain('patch-name', 'kubeadm would not read a file of this name', expected);
  }
  let bytes: Buffer;
  try {
    const path = join(directory, name);
    if (statSync(path).size > LARGEST_TOTAL) return complain('patches-too-large', 'is too large', 'a patch');
    bytes = readFileSync(path);
  } catch (error) {
    return complain('unreadable-patches', `cannot be read: ${systemReason(error)}`, 'a file');
  }
  const { content, problems } = parsePatch(bytes, file, match.groups?.type ?? 'strategic');
  report.problems.push(...problems);
  return [{ name, content }];
}

function parsePatch(bytes: Buffer, file: string, type: string): { content: string; problems: Problem[] } {
  const decoded = decodeText(bytes, file);
  if ('problem' in decoded) return { content: '', problems: [decoded.problem] };
  const { document, problems } = parseYaml(decoded.text, file);
  // kubeadm takes several patches in one file.
  const found = problems.filter((problem) => problem.code !== 'several-documents');
  const isRight = type === 'json' ? Array.isArray(document?.value) : isMap(document?.value);
  if (document !== undefined && !isRight) {
    const shape = type === 'json' ? 'a list of JSON patch operations' : 'a map with the fields to change';
    const place = { file, line: 1, column: 1, path: '', found: describeValue(document.value), expected: shape };
    found.push({ severity: 'error', code: 'patch-content', ...place, message: `not a patch of type ${type}` });
  }
  return { content: decoded.text, problems: found };
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Editors' backups, and what explains a directory to people. */
function isAside(name: string): boolean {
  return name.startsWith('.') || name.endsWith('~') || /^readme(\.[a-z]+)?$/i.test(name);
}

/** Why the system refused, without the path: the message names it already. */
export function systemReason(error: unknown): string {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'ENOENT':
      return 'there is no such file or directory';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a directory';
    case 'ENOTDIR':
      return 'it is not a directory';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
