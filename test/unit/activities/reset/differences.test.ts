import { describe, expect, it } from 'vitest';
import { type Difference, differencesOf, explained } from '../../../../src/activities/reset/differences.js';
import { clusterOf } from '../../cluster-fixture.js';

const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1 });

describe('in what a host differs from what it was', () => {
  it('is told by kind and name: what is new, what is gone, what has another value', () => {
    const appeared = [
      ['link', 'cni0', ''],
      ['sysctl', 'net.ipv4.ip_forward', '1'],
    ];
    const gone = [
      ['user', 'otto', ''],
      ['sysctl', 'net.ipv4.ip_forward', '0'],
    ];
    expect(differencesOf(appeared, gone)).toEqual([
      { kind: 'user', name: 'otto', before: '' },
      { kind: 'sysctl', name: 'net.ipv4.ip_forward', before: '0', now: '1' },
      { kind: 'link', name: 'cni0', now: '' },
    ]);
  });

  it('holds two addresses of one card apart', () => {
    expect(differencesOf([['address', 'eth0', '10.0.0.9/32']], [['address', 'eth0', '10.0.0.8/32']])).toHaveLength(2);
  });

  const ALLOWED: Difference[] = [
    { kind: 'package', name: 'haproxy', now: 'installed' },
    { kind: 'module', name: 'br_netfilter', now: '' },
    { kind: 'sysctl', name: 'net.bridge.bridge-nf-call-iptables', now: '1' },
    { kind: 'chain', name: 'POSTROUTING', now: '' },
    { kind: 'table', name: 'ip/nat', now: '' },
    { kind: 'active', name: 'apt-daily.service', now: '' },
    { kind: 'mount', name: '/run/user/0', now: 'tmpfs' },
  ];
  it.each(ALLOWED)('is explained for the $kind $name', (difference) => {
    expect(explained(difference, CLUSTER)).toBeTypeOf('string');
  });

  const OPEN: Difference[] = [
    { kind: 'link', name: 'cni0', now: '' },
    { kind: 'link', name: 'eth1', before: '' },
    { kind: 'chain', name: 'KUBE-SERVICES', now: '' },
    { kind: 'chain', name: 'DOCKER', before: '' },
    { kind: 'table', name: 'ip/kube-proxy', now: '' },
    { kind: 'mount', name: '/var/lib/kubelet/pods/a', now: 'tmpfs' },
    { kind: 'file', name: '/etc/haproxy/haproxy.cfg', before: '644 root:root a', now: '644 root:root b' },
    { kind: 'path', name: '/etc/kubernetes', now: 'folder' },
    { kind: 'sysctl', name: 'net.ipv4.ip_forward', before: '0', now: '1' },
    { kind: 'swap', name: '/dev/sda2', before: '' },
    { kind: 'user', name: 'otto', before: '' },
    { kind: 'user', name: 'etcd', now: '' },
    { kind: 'active', name: 'kubelet.service', now: '' },
    { kind: 'active', name: 'haproxy.service', before: '' },
    { kind: 'unit', name: 'haproxy.service', before: 'enabled', now: 'disabled' },
    { kind: 'address', name: 'eth0', now: '10.88.0.100/32' },
  ];
  it.each(OPEN)('is told to a person for the $kind $name', (difference) => {
    expect(explained(difference, CLUSTER)).toBeUndefined();
  });
});
