import { describe, expect, it } from 'vitest';
import { imagesOfRole, pauseImageOf } from '../../../../../src/components/artifacts/repository/images.js';
import { judge } from '../../../../../src/components/artifacts/repository/judge.js';
import { choose, isOf } from '../../../../../src/components/artifacts/repository/packages.js';

const offer = (name: string, version: string) => ({ name, version });

describe('versions of packages', () => {
  it("are the newest build of the cluster's, and of the others the newest", () => {
    const offers = [
      ...['1.37.1-1.1', '1.37.2-1.1', '1.37.2-2.1', '1.37.20-1.1'].map((version) => offer('kubelet', version)),
      ...['1.9.0-1.1', '1.10.0-1.1'].map((version) => offer('kubernetes-cni', version)),
    ];
    expect(choose(['kubelet', 'kubernetes-cni'], offers, '1.37.2')).toEqual({
      chosen: [offer('kubelet', '1.37.2-2.1'), offer('kubernetes-cni', '1.10.0-1.1')],
      missing: [],
    });
  });

  it('are named where the repository lacks them', () => {
    expect(choose(['kubelet', 'cri-tools'], [offer('kubelet', '1.37.20-1.1')], '1.37.2').missing).toEqual([
      'kubelet 1.37.2',
      'cri-tools',
    ]);
    expect(isOf('1.37.2-150500.1.1', '1.37.2')).toBe(true);
    expect(isOf('1.37.20-1.1', '1.37.2')).toBe(false);
  });
});

describe('what a package manager says', () => {
  const about = { host: 'w-1', names: ['kubelet'], version: '1.37.2', url: 'https://mirror.example.org/' };
  const failed = (words: string) => judge({ offers: [], failed: words }, about).map(({ code }) => code);

  it.each([
    ['401  Unauthorized [IP: 10.88.0.1 443]', 'KW374'],
    ['Certificate verification failed: The certificate is NOT trusted.', 'KW374'],
    ['Curl error (60): SSL peer certificate or SSH remote key was not OK', 'KW374'],
    ['Could not connect to mirror.example.org:443 (10.88.0.1), connection timed out', 'KW374'],
    [
      "The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 234654",
      'KW376',
    ],
    // Another server answers: what came has no signature, and that is not what is wrong with it.
    ["Clearsigned file isn't valid, got 'NOSPLIT' (does the network require authentication?) is not signed.", 'KW374'],
    ['repomd.xml GPG signature verification error: gpgme_op_verify() error: No data', 'KW374'],
    ['repomd.xml GPG signature verification error: Bad GPG signature', 'KW376'],
    ['Sub-process /usr/bin/sqv returned an error code (1): Missing key DE15B144', 'KW376'],
  ])('%s', (words, code) => {
    expect(failed(words)).toEqual([code]);
  });

  it('tells of versions that are missing, and of nothing where all are there', () => {
    expect(judge({ offers: [], failed: undefined }, about)).toMatchObject([{ code: 'KW375', hosts: ['w-1'] }]);
    expect(judge({ offers: [offer('kubelet', '1.37.2-1.1')], failed: undefined }, about)).toEqual([]);
  });
});

describe('images', () => {
  const names = (version: string, role: 'control-plane' | 'worker' | 'etcd', holdsMember = true) =>
    imagesOfRole(version, role, { holdsMember, network: ['ghcr.io/flannel-io/flannel:v0.28.4'] }).flatMap(
      (image) => image.names,
    );

  it('are those of the role, and none of them travels', () => {
    expect(names('1.37.2', 'etcd')).toEqual(['registry.k8s.io/pause:3.10.2', 'registry.k8s.io/etcd:3.7.0-0']);
    expect(names('1.37.2', 'worker')).toEqual([
      'registry.k8s.io/kube-proxy:v1.37.2',
      'registry.k8s.io/coredns/coredns:v1.14.6',
      'registry.k8s.io/pause:3.10.2',
      'ghcr.io/flannel-io/flannel:v0.28.4',
    ]);
    expect(names('1.37.2', 'control-plane', false)).not.toContain('registry.k8s.io/etcd:3.7.0-0');
    expect(imagesOfRole('1.37.2', 'worker', { holdsMember: true, network: [] })[0]?.archive).toBeUndefined();
  });

  it('of a release that is not known leave out what only its kubeadm knows', () => {
    expect(names('1.37.9', 'control-plane').join()).not.toMatch(/etcd|coredns/);
    expect(names('1.37.9', 'control-plane')).toContain('registry.k8s.io/kube-apiserver:v1.37.9');
    expect(pauseImageOf('1.34.9')).toBe('registry.k8s.io/pause:3.10.1');
  });
});
