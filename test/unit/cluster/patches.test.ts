import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseCluster } from '../../../src/cluster/load.js';
import { BASE, problemsOf } from './helpers.js';

const TEXT = `${BASE}  kubernetes: { patchesDirectory: ./patches }\n`;
const MERGE = 'metadata: { annotations: { a: b } }\n';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewright-patches-'));
  mkdirSync(join(directory, 'patches'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function put(name: string, content: string | Uint8Array): void {
  writeFileSync(join(directory, 'patches', name), content);
}

function problems(): string[] {
  return problemsOf(TEXT, { path: 'cluster.yaml', directory }).map(
    ({ file, line, column, code, message }) => `${file}:${line}:${column} ${code}: ${message}`,
  );
}

it.each([
  'kube-apiserver.yaml',
  'kube-apiserver0+merge.yaml',
  'kube-controller-manager+strategic.json',
  'kube-scheduler-a.yaml',
  'etcd1.json',
  'kubeletconfiguration+merge.yaml',
  'corednsdeployment.yaml',
])('takes %s', (name) => {
  put(name, name.endsWith('json') ? '{"metadata":{}}' : MERGE);
  put('README.md', '# why');
  put('.swp', 'x');
  const { cluster } = parseCluster(TEXT, { path: 'cluster.yaml', directory });
  expect(cluster.kubernetes.patches.map((patch) => patch.name)).toEqual([name]);
});

it.each([
  'apiserver.yaml',
  'kube-apiserver.yml',
  'kube-apiserver+replace.yaml',
  'kube-apiserver+.yaml',
  'kube-proxy.yaml',
  'kube-apiserver;reboot.yaml',
  'kube-apiserver.yaml.bak',
])('refuses %s, which kubeadm would skip or stumble over', (name) => {
  put(name, MERGE);
  expect(problems()).toEqual([`cluster.yaml:21:35 patch-name: ${name}: kubeadm would not read a file of this name`]);
});

it('reports syntax in the patch itself, at its line', () => {
  put('etcd.yaml', 'spec:\n  a: b: c\n');
  expect(problems()[0]).toMatch(/^patches\/etcd\.yaml:2:6 yaml-syntax: /);
});

it.each([
  ['etcd.yaml', '- op: add\n', 'not a patch of type strategic'],
  ['etcd+json.yaml', MERGE, 'not a patch of type json'],
  ['etcd+merge.yaml', 'text', 'not a patch of type merge'],
])('%s must hold a patch of its type', (name, content, message) => {
  put(name, content);
  expect(problems()).toEqual([`patches/${name}:1:1 patch-content: ${message}`]);
});

it('takes several patches in one file, and JSON patches as a list', () => {
  put('etcd.yaml', `${MERGE}---\n${MERGE}`);
  put('etcd+json.yaml', '- { op: remove, path: /a }\n');
  expect(problems()).toEqual([]);
});

it.each<[name: string, arrange: () => void, expected: string]>([
  [
    'a missing directory',
    () => rmSync(join(directory, 'patches'), { recursive: true }),
    'unreadable-patches: cannot be read: there is no such file',
  ],
  [
    'a file in place of a directory',
    () => {
      rmSync(join(directory, 'patches'), { recursive: true });
      writeFileSync(join(directory, 'patches'), '');
    },
    'unreadable-patches: cannot be read: it is not a directory',
  ],
  [
    'a directory in place of a file',
    () => mkdirSync(join(directory, 'patches', 'etcd.yaml')),
    'unreadable-patches: etcd.yaml: cannot be read: it is a directory',
  ],
  ['an empty directory', () => chmodSync(join(directory, 'patches'), 0o755), 'no-patches: there is no patch'],
  [
    'a private key',
    () => put('etcd.yaml', 'a: "-----BEGIN PRIVATE KEY-----"\n'),
    'secret-in-file: the patch etcd.yaml holds a private key',
  ],
  [
    'more than travels with a plan',
    () => put('etcd.yaml', `a: ${'x'.repeat(200_000)}\n`),
    'patches-too-large: etcd.yaml: is too large',
  ],
])('names %s', (_name, arrange, expected) => {
  arrange();
  expect(problems()).toEqual([expect.stringMatching(/^cluster\.yaml:21:35 /)]);
  expect(problems()[0]).toContain(expected);
});
