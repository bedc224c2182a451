import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Cluster, ClusterHost } from '../../../src/cluster/types.js';
import {
  renderDiscovery,
  renderInitConfig,
  renderJoinConfig,
  renderUploadCertsConfig,
} from '../../../src/render/kubeadm.js';
import { clusterOf } from '../cluster-fixture.js';
import { expectGolden } from './golden.js';

interface Document {
  kind: string;
  [key: string]: unknown;
}

function documentsOf(text: string): Document[] {
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Document;
  });
}

function kindOf(text: string, kind: string): Document {
  const found = documentsOf(text).find((document) => document.kind === kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found;
}

function hostNamed(cluster: Cluster, name: string): ClusterHost {
  const host = cluster.hosts.find((each) => each.name === name);
  if (host === undefined) throw new Error(`no host ${name}`);
  return host;
}

const stacked = clusterOf({ controlPlanes: 3, workers: 2 });
const external = clusterOf({ controlPlanes: 3, workers: 1, etcd: 3 });
const secrets = { token: 'abcdef.0123456789abcdef', certificateKey: 'f'.repeat(64) };

describe('kubeadm init', () => {
  test('stacked', () => expectGolden('init-stacked.yaml', renderInitConfig(stacked, hostNamed(stacked, 'cp-1'))));

  test('external etcd', () => {
    const text = renderInitConfig(external, hostNamed(external, 'cp-1'));
    expectGolden('init-external.yaml', text);
    const { etcd } = kindOf(text, 'ClusterConfiguration') as unknown as { etcd: { external: { endpoints: string[] } } };
    expect(etcd.external.endpoints).toEqual(['10.88.0.31', '10.88.0.32', '10.88.0.33'].map((a) => `https://${a}:2379`));
  });

  test('carries the escape hatches of cluster.yaml', () => {
    const cluster = clusterOf({ controlPlanes: 1, workers: 0 });
    const arg = (value: string) => [{ name: 'v', value }];
    Object.assign(cluster.kubernetes, {
      certificateSANs: ['api.example.com', '10.88.0.11'],
      apiServer: { extraArgs: arg('1') },
      controllerManager: { extraArgs: arg('2') },
      scheduler: { extraArgs: arg('3') },
      kubelet: { config: { maxPods: 42, cgroupDriver: 'cgroupfs' }, extraArgs: arg('4') },
      kubeProxy: { config: { mode: 'nftables' } },
      ignorePreflightErrors: ['SystemVerification'],
    });
    cluster.etcd.extraArgs = arg('5');
    const text = renderInitConfig(cluster, hostNamed(cluster, 'cp-1'));
    expectGolden('init-escape-hatches.yaml', text);
    expect(kindOf(text, 'KubeletConfiguration')).toMatchObject({ maxPods: 42, cgroupDriver: 'cgroupfs' });
    expect(kindOf(text, 'KubeProxyConfiguration')).toMatchObject({ mode: 'nftables' });
    const { apiServer } = kindOf(text, 'ClusterConfiguration') as unknown as { apiServer: { certSANs: string[] } };
    expect(apiServer.certSANs).toEqual(['10.88.0.100', 'cp-1', '10.88.0.11', 'api.example.com']);
  });

  test('gives a lost node up soon, unless cluster.yaml has a time of its own', () => {
    const cluster = clusterOf({ controlPlanes: 1, workers: 0 });
    const argsOf = () => {
      const text = renderInitConfig(cluster, hostNamed(cluster, 'cp-1'));
      return (kindOf(text, 'ClusterConfiguration').controllerManager as { extraArgs: unknown }).extraArgs;
    };
    expect(argsOf()).toEqual([{ name: 'node-monitor-grace-period', value: '20s' }]);
    const own = [{ name: 'node-monitor-grace-period', value: '60s' }];
    cluster.kubernetes.controllerManager.extraArgs = own;
    expect(argsOf()).toEqual(own);
  });

  test('leaves taints to kubeadm unless cluster.yaml has some, and takes them away for an empty list', () => {
    const cluster = clusterOf({ controlPlanes: 1, workers: 0 });
    const host = hostNamed(cluster, 'cp-1');
    const taintsOf = () =>
      (kindOf(renderInitConfig(cluster, host), 'InitConfiguration').nodeRegistration as { taints?: unknown }).taints;
    expect(taintsOf()).toBeUndefined();
    host.taints = [];
    expect(taintsOf()).toEqual([]);
  });

  test('names no secret', () => {
    expect(renderInitConfig(stacked, hostNamed(stacked, 'cp-1'))).not.toMatch(/token:|certificateKey/);
  });
});

describe('kubeadm join', () => {
  const discovery = '/run/discovery.conf';

  test.each(['cp-2', 'w-1'])(
    'of %s leaves taints to kubeadm, or registers the node with those of cluster.yaml',
    (name) => {
      const cluster = clusterOf({ controlPlanes: 3, workers: 1 });
      const host = hostNamed(cluster, name);
      const taintsOf = () => {
        const { nodeRegistration } = kindOf(renderJoinConfig(cluster, host, discovery, secrets), 'JoinConfiguration');
        return (nodeRegistration as { taints?: unknown }).taints;
      };
      expect(taintsOf()).toBeUndefined();
      host.taints = [];
      expect(taintsOf()).toEqual([]);
      host.taints = [{ key: 'dedicated', value: 'database', effect: 'NoSchedule' }];
      expect(taintsOf()).toEqual(host.taints);
    },
  );

  test('of a control plane', () => {
    expectGolden('join-control-plane.yaml', renderJoinConfig(stacked, hostNamed(stacked, 'cp-2'), discovery, secrets));
  });

  test('of a worker asks for no control plane', () => {
    const text = renderJoinConfig(stacked, hostNamed(stacked, 'w-1'), discovery, { token: secrets.token });
    expectGolden('join-worker.yaml', text);
    expect(documentsOf(text)[0]).not.toHaveProperty('controlPlane');
  });

  test('every node is registered under the address of cluster.yaml', () => {
    for (const host of stacked.hosts.slice(1)) {
      const text = renderJoinConfig(stacked, host, discovery, secrets);
      const { nodeRegistration } = documentsOf(text)[0] as unknown as {
        nodeRegistration: { name: string; kubeletExtraArgs: unknown[] };
      };
      expect(nodeRegistration.name).toBe(host.name);
      expect(nodeRegistration.kubeletExtraArgs[0]).toEqual({ name: 'node-ip', value: host.address });
    }
  });
});

test('certificates are uploaded with the key that was given, and with the paths of external etcd', () => {
  const text = renderUploadCertsConfig(external, hostNamed(external, 'cp-1'), secrets.certificateKey);
  expect(kindOf(text, 'InitConfiguration').certificateKey).toBe(secrets.certificateKey);
  expect(text).toContain('/etc/kubernetes/pki/apiserver-etcd-client.key');
});

test('discovery pins the CA and goes through the virtual IP', () => {
  const [config] = documentsOf(renderDiscovery(stacked, Buffer.from('CA')));
  expect(config).toMatchObject({
    clusters: [{ cluster: { server: 'https://10.88.0.100:8443', 'certificate-authority-data': 'Q0E=' } }],
    'current-context': 'demo',
    users: [{ user: {} }],
  });
});
