import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCluster } from '../../../../../src/cluster/load.js';
import { repositoryUrl } from '../../../../../src/cluster/package-repository.js';
import { isClusterFileError } from '../../../../../src/cluster/problem.js';
import { planInstall } from '../../../../../src/plan/install.js';

const KEY = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBGMHoXc\n-----END PGP PUBLIC KEY BLOCK-----\n';
const directory = mkdtempSync(join(tmpdir(), 'kubewright-repository-'));
afterAll(() => rmSync(directory, { recursive: true }));
writeFileSync(join(directory, 'kubernetes.asc'), KEY);
writeFileSync(join(directory, 'private.asc'), KEY.replaceAll('PUBLIC', 'PRIVATE'));
writeFileSync(join(directory, 'notes.txt'), 'no key\n');

/** @param more lines below `spec`, as they are */
function file(repository: string, more = ''): string {
  return `apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: demo }
spec:
  endpoint: { vip: 10.88.0.100 }
  packages:
    source: repository
${repository}${more}  hosts:
    - { name: cp-1, address: 10.88.0.11, role: control-plane }
    - { name: cp-2, address: 10.88.0.12, role: control-plane }
    - { name: cp-3, address: 10.88.0.13, role: control-plane }
    - { name: w-1, address: 10.88.0.21, role: worker }
`;
}

const read = (text: string) => parseCluster(text, { path: 'cluster.yaml', directory });

function codes(text: string): string[] {
  try {
    return read(text).warnings.map(({ code }) => code);
  } catch (error) {
    if (!isClusterFileError(error)) throw error;
    return error.problems.map(({ code, path }) => `${code} ${path}`);
  }
}

const OWN = '    repository: { key: kubernetes.asc }\n';

describe('packages.source: repository', () => {
  it("reads the key at once, and takes the distribution's programs where the file does not say", () => {
    const { cluster } = read(file(OWN));
    expect(cluster.packages).toEqual({
      source: 'repository',
      repository: {
        url: 'https://pkgs.k8s.io/core:/stable:/v{minor}/{format}/',
        key: KEY,
        ca: null,
        loginEnv: null,
      },
      proxy: null,
    });
    expect(cluster.runtime).toMatchObject({ type: 'containerd', source: 'distribution' });
    expect(cluster.loadBalancer).toMatchObject({ type: 'haproxy-keepalived', source: 'distribution' });
  });

  it('has an address for each minor and family', () => {
    expect(repositoryUrl({ url: 'https://pkgs.k8s.io/core:/stable:/v{minor}/{format}/' }, '1.37.2', 'deb')).toBe(
      'https://pkgs.k8s.io/core:/stable:/v1.37/deb/',
    );
    expect(repositoryUrl({ url: 'https://mirror.example.org/k8s' }, '1.37.2', 'rpm')).toBe(
      'https://mirror.example.org/k8s/',
    );
  });

  it.each([
    ['nobody signs', '', 'no-repository spec.packages.source'],
    ['the key is none', '    repository: { key: notes.txt }\n', 'no-key spec.packages.repository.key'],
    ['the key is the private one', '    repository: { key: private.asc }\n', 'secret spec.packages.repository.key'],
    [
      'nobody has pinned the key',
      '    repository: { key: "https://example.org/Release.key" }\n',
      'address-not-pinned spec.packages.repository.key',
    ],
    [
      'a placeholder is unknown',
      '    repository: { key: kubernetes.asc, url: "https://example.org/{version}/" }\n',
      'unknown-placeholder spec.packages.repository.url',
    ],
    [
      'a login would go in clear',
      '    repository: { key: kubernetes.asc, url: "http://example.org/", loginEnv: LOGIN }\n',
      'login-in-clear spec.packages.repository.loginEnv',
    ],
    [
      'the authority is none',
      '    repository: { key: kubernetes.asc, caFile: notes.txt }\n',
      'no-certificates spec.packages.repository.caFile',
    ],
    ['it has the key of a bundle', `${OWN}    bundle: ./bundle\n`, 'key-of-another-choice spec.packages.bundle'],
  ])('is refused at its place where %s', (_, repository, expected) => {
    expect(codes(file(repository))).toContain(expected);
  });

  it.each([
    ['containerd', '  runtime: { source: bundle }\n', 'spec.runtime.source'],
    ['CRI-O', '  runtime: { type: crio }\n', 'spec.runtime.type'],
    ['HAProxy', '  loadBalancer: { source: bundle }\n', 'spec.loadBalancer.source'],
    ['static pods', '  loadBalancer: { type: static-pods }\n', 'spec.loadBalancer.type'],
    ['etcd as a service', '  etcd: { runner: systemd }\n', 'spec.etcd.runner'],
    ['Calico', '  network: { plugin: calico }\n', 'spec.network.plugin'],
  ])('refuses what only a bundle has: %s', (_, more, place) => {
    expect(codes(file(OWN, more))).toContain(`only-in-a-bundle ${place}`);
  });
});

describe('its plan', () => {
  const plan = planInstall(read(file(OWN)).cluster);
  const step = (id: string) => plan.find((each) => each.id === id);

  it('installs packages one after the other, and pulls images behind the runtime', () => {
    expect(step('w-1/binaries')).toMatchObject({ action: 'installKubernetesPackages', needs: ['w-1/packages'] });
    expect(step('w-1/images')).toMatchObject({ action: 'importImages', needs: ['w-1/runtime'] });
    expect(step('w-1/pull')).toBeUndefined();
  });

  it("begins nowhere before etcd's tools are there", () => {
    expect(step('cp-1/images')).toMatchObject({ action: 'bringEtcdTools', needs: ['cp-1/pull', 'cp-1/binaries'] });
    expect(step('cp-1/init')?.needs).toContain('cp-1/images');
  });

  it('uploads nothing', () => {
    expect(plan.map(({ action }) => action)).not.toContain('installBinaries');
  });
});
