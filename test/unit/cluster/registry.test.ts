import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCluster } from '../../../src/cluster/load.js';
import { isClusterFileError } from '../../../src/cluster/problem.js';
import { needsOf } from '../../../src/engine/worker/environment.js';

const directory = mkdtempSync(join(tmpdir(), 'kubewright-registry-'));
afterAll(() => rmSync(directory, { recursive: true }));
const CA = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
writeFileSync(join(directory, 'ca.pem'), CA);
writeFileSync(join(directory, 'key.pem'), '-----BEGIN EC PRIVATE KEY-----\nMIIB\n-----END EC PRIVATE KEY-----\n');

const file = (registry: string, more = '') => `apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: demo }
spec:
  endpoint: { vip: 10.88.0.100 }
  packages: { registry: ${registry} }
${more}  hosts:
    - { name: cp-1, address: 10.88.0.11, role: control-plane }
    - { name: cp-2, address: 10.88.0.12, role: control-plane }
    - { name: cp-3, address: 10.88.0.13, role: control-plane }
    - { name: w-1, address: 10.88.0.21, role: worker }
`;
const load = (registry: string, more = '') =>
  parseCluster(file(registry, more), { path: 'cluster.yaml', directory }).cluster;
function problems(registry: string, more = ''): string[] {
  try {
    load(registry, more);
    return [];
  } catch (error) {
    if (!isClusterFileError(error)) throw error;
    return error.problems.map(({ code, path, found }) => `${code} ${path} ${found}`);
  }
}

describe('packages.registry', () => {
  it('is an address, and what follows from it', () => {
    expect(load('{ address: registry.example.org }').packages.registry).toEqual({
      address: 'registry.example.org',
      paths: {
        'registry.k8s.io': 'registry.k8s.io',
        'ghcr.io': 'ghcr.io',
        'quay.io': 'quay.io',
        'docker.io': 'docker.io',
      },
      ca: null,
      loginEnv: null,
      images: 'missing',
    });
  });

  it('has its certificates with it, further upstreams, and its login by the name of a variable', () => {
    const cluster = load(
      '{ address: "registry.example.org:5000/k8s", paths: { registry.k8s.io: "", gcr.io: other }, caFile: ca.pem, loginEnv: LOGIN, images: all }',
    );
    const { packages } = cluster;
    expect(packages.registry).toMatchObject({ ca: CA, loginEnv: 'LOGIN', images: 'all' });
    expect(packages.registry?.paths).toMatchObject({ 'registry.k8s.io': '', 'quay.io': 'quay.io', 'gcr.io': 'other' });
    expect(needsOf(cluster).variables).toContain('LOGIN');
  });

  it('is no part of a cluster whose file has none, which keeps the hash that it was begun with', () => {
    const plain = file('null').replace(/ {2}packages.*\n/, '');
    expect(parseCluster(plain, { path: 'c', directory }).cluster.packages).not.toHaveProperty('registry');
    expect(load('null').packages).not.toHaveProperty('registry');
  });

  it.each([
    [
      'a login in its address',
      '{ address: "me:word@registry.example.org" }',
      'bad-value spec.packages.registry.address',
    ],
    [
      'a path that none can be',
      '{ address: a.example, paths: { quay.io: "../x" } }',
      'bad-value spec.packages.registry.paths',
    ],
    ['no address', '{ images: all }', 'missing spec.packages.registry.address'],
    [
      'a file that is not there',
      '{ address: a.example, caFile: none.pem }',
      'unreadable-text spec.packages.registry.caFile',
    ],
    [
      'a key instead of certificates',
      '{ address: a.example, caFile: key.pem }',
      'secret spec.packages.registry.caFile',
    ],
    [
      'a login over http',
      '{ address: "http://a.example", loginEnv: LOGIN }',
      'login-in-clear spec.packages.registry.loginEnv',
    ],
  ])('is refused with %s', (_, registry, expected) => {
    expect(problems(registry).some((problem) => problem.startsWith(expected))).toBe(true);
  });

  it('never shows what stands where the name of a variable belongs', () => {
    expect(problems('{ address: a.example, loginEnv: "puller:s3cret" }').join()).not.toContain('s3cret');
  });

  it('is the one place that says where images come from', () => {
    const runtime =
      '  runtime: { config: { plugins: { io.containerd.cri.v1.images: { registry: { config_path: /etc/x } } } } }\n';
    expect(problems('{ address: a.example }', runtime).join()).toContain('registry-twice');
  });
});
