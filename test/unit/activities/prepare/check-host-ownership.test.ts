import { describe, expect, it } from 'vitest';
import { bySeverity } from '../../../../src/activities/prepare/checks/index.js';
import { INSTALLED, ownerLine as owner, problemsWith as problems } from './fixtures.js';

const NODE = { leftover: INSTALLED.leftover, kubelet: INSTALLED.kubelet };

describe('a host that belongs to somebody', () => {
  it('of this cluster is fine, finished or not', () => {
    expect(problems({ owner: owner() })).toEqual([]);
    expect(problems({ owner: owner({ caFingerprint: 'sha256:aa' }), ca: [['sha256:aa']], ...NODE })).toEqual([]);
  });

  it.each([
    [
      'another cluster',
      { owner: owner({ cluster: 'prod' }) },
      'KW320',
      /cluster "prod" \(10.88.0.100:8443, as host cp-1\)/,
    ],
    ['a record that is cut short', { owner: [['{"cluster": "de']] }, 'KW320', /owner\.json/],
    [
      'a kubeadm cluster of other making',
      { ...NODE, server: [['https://10.1.1.1:6443']] },
      'KW321',
      /10\.1\.1\.1.*kubelet\.conf.*running kubelet/,
    ],
    ['k3s', { leftover: [['trace', 'k3s', '/var/lib/rancher/k3s']] }, 'KW321', /from k3s: .*k3s/],
    [
      'a CNI of other making',
      { leftover: [['trace', 'another pod network', '/etc/cni/net.d/10-calico.conflist']] },
      'KW323',
      /10-calico/,
    ],
    ['a bridge that is left', { leftover: [['trace', 'flannel', 'the network interface cni0']] }, 'KW323', /cni0/],
    ['data of an etcd', { leftover: [['trace', 'etcd', '/var/lib/etcd/default']] }, 'KW321', /etcd\/default/],
    [
      'the authority of a dead cluster, or one that was brought',
      {
        leftover: [
          ['node', 'kubeadm', '/etc/kubernetes/pki/ca.key'],
          ['begun', 'kubeadm', '/etc/kubernetes/pki/ca.crt'],
          ['trace', 'kubeadm', '/etc/kubernetes/pki/sa.key'],
        ],
      },
      'KW325',
      /would take it over: \/etc\/kubernetes\/pki\/ca\.key, .*ca\.crt and .*sa\.key/,
    ],
    [
      'more than an authority',
      {
        leftover: [
          ['node', 'kubeadm', '/etc/kubernetes/pki/ca.key'],
          ['trace', 'kubeadm', '/etc/kubernetes/pki/apiserver.key'],
        ],
      },
      'KW321',
      /from kubeadm: .*ca\.key and .*apiserver\.key/,
    ],
    [
      'more than one wants to read',
      { leftover: Array.from({ length: 9 }, (_, i) => ['trace', 'k0s', `/k/${i}`]) },
      'KW321',
      /\/k\/3 and 5 more$/,
    ],
    [
      'a namesake with another CA',
      { owner: owner({ caFingerprint: 'sha256:aa' }), ca: [['sha256:bb']], ...NODE },
      'KW322',
      /sha256:aa.*sha256:bb/,
    ],
    ['another host of this cluster', { owner: owner({ host: 'w-1' }), ...NODE }, 'KW322', /w-1.*cp-1/],
    ['another VIP', { owner: owner({ endpoint: '10.88.0.99:8443' }), ...NODE }, 'KW322', /10\.88\.0\.99:8443/],
  ] as [string, Record<string, string[][]>, string, RegExp][])('%s is left alone', (_, changes, code, says) => {
    const found = problems(changes);
    expect(found).toEqual([expect.objectContaining({ code, what: expect.stringMatching(says) })]);
  });

  it('is told of what a proper reset left, and taken', () => {
    const found = problems({
      leftover: [
        ['residue', 'kubernetes', 'firewall chains KUBE-*'],
        ['residue', 'kubernetes', 'firewall chains KUBE-*'],
        ['residue', 'flannel', '/run/flannel'],
      ],
    });
    const what = 'an earlier node left firewall chains KUBE-* and /run/flannel';
    expect(found).toEqual([expect.objectContaining({ code: 'KW323', severity: 'warning', what })]);
    expect(bySeverity(found)).toEqual({ errors: [], warnings: found });
  });

  it('with programs of ours and no node yet may be given another name', () => {
    const leftover = [['trace', 'kubernetes', '/usr/local/bin/kubelet']];
    expect(problems({ owner: owner({ host: 'w-1' }), leftover })).toEqual([]);
  });

  it('whose name or VIP changed before anything was installed is fine: the record is written anew', () => {
    expect(problems({ owner: owner({ host: 'w-1', endpoint: '10.88.0.99:8443' }) })).toEqual([]);
  });
});
