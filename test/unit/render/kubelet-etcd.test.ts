import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { renderEtcdMember } from '../../../src/components/etcd/external/render/member.js';
import {
  renderEtcdKubeletConfig,
  renderEtcdKubeletDropIn,
} from '../../../src/components/etcd/static-pods/render/kubelet.js';
import { renderKubeletPatch } from '../../../src/render/kubelet-config.js';
import { clusterOf } from '../cluster-fixture.js';
import { expectGolden } from './golden.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 0, etcd: 3 });
const members = cluster.hosts.filter(({ role }) => role === 'etcd');
const resolvConf = '/run/systemd/resolve/resolv.conf';

describe('what differs between kubelets', () => {
  test('the name servers are those of the host', () => {
    expect(parse(renderKubeletPatch(cluster, { resolvConf, imagesPinned: true }))).toEqual({
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      resolvConf,
    });
  });

  test('images that are not pinned are never collected', () => {
    expect(parse(renderKubeletPatch(cluster, { resolvConf, imagesPinned: false }))).toMatchObject({
      imageGCHighThresholdPercent: 100,
    });
  });

  test('what cluster.yaml sets stays as it is', () => {
    const own = clusterOf({ controlPlanes: 1, workers: 0 });
    own.kubernetes.kubelet.config = { resolvConf: '/etc/mine', imageGCHighThresholdPercent: 90 };
    const patch = parse(renderKubeletPatch(own, { resolvConf, imagesPinned: false }));
    expect(Object.keys(patch)).toEqual(['apiVersion', 'kind']);
  });
});

describe("an etcd host's kubelet", () => {
  test('listens on loopback and lets nobody in', () => {
    expectGolden('kubelet-etcd.yaml', renderEtcdKubeletConfig(cluster, { resolvConf, imagesPinned: false }));
  });

  test('has no kubeconfig', () => {
    expectGolden('kubelet-etcd-drop-in.conf', renderEtcdKubeletDropIn());
    expect(renderEtcdKubeletDropIn()).not.toContain('kubeconfig');
  });

  test('obeys what cluster.yaml says of kubelets', () => {
    const old = clusterOf({ controlPlanes: 1, workers: 0, etcd: 1 });
    old.kubernetes.kubelet.config = { failCgroupV1: false };
    expect(parse(renderEtcdKubeletConfig(old, { resolvConf, imagesPinned: true }))).toMatchObject({
      failCgroupV1: false,
    });
  });
});

describe('an external etcd member', () => {
  const [first] = members;
  if (first === undefined) throw new Error('no etcd host');

  test('of a new cluster', () => {
    expectGolden('kubeadm-etcd.yaml', renderEtcdMember(cluster, first, { members, state: 'new' }));
  });

  test('sets a Kubernetes version in every file, else kubeadm asks the internet for one', () => {
    const documents = parseAllDocuments(renderEtcdMember(cluster, first, { members, state: 'existing' }));
    const versions = documents.map((document) => document.get('kubernetesVersion')).filter(Boolean);
    expect(versions).toEqual(['v1.34.3']);
  });

  test('certificates can be made in another directory', () => {
    const text = renderEtcdMember(cluster, first, { members, state: 'new', certificatesDirectory: '/run/x' });
    expect(text).toContain('certificatesDir: /run/x\n');
  });
});
