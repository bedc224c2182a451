import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Cluster, ClusterHost } from '../../../../../src/cluster/types.js';
import { kubeVipFiles } from '../../../../../src/components/load-balancer/kube-vip/steps/goal.js';
import { expectGolden } from '../../../render/golden.js';
import { IMAGE, kubeVipCluster } from './kube-vip-cluster.js';

const cluster = kubeVipCluster();
const [first, second] = cluster.hosts as [ClusterHost, ClusterHost];

const filesOf = (of: Cluster = cluster, host = first, card = 'eth0') => kubeVipFiles(of, host, card, IMAGE);
const manifestOf = (of?: Cluster, host?: ClusterHost, card?: string) => filesOf(of, host, card).manifests['kube-vip'];
const containerOf = (manifest: string) => parse(manifest).spec.containers[0];
const variablesOf = (manifest: string): Record<string, string> =>
  Object.fromEntries(
    containerOf(manifest).env.map(({ name, value }: { name: string; value: string }) => [name, value]),
  );

describe('the manifest of kube-vip', () => {
  test('is exactly this', () => expectGolden('kube-vip.yaml', manifestOf()));

  test('lies in a folder of its own until a kubelet gets it', () => {
    expect(filesOf().files.map(({ path }) => path)).toEqual(['/etc/kubewright/load-balancer/kube-vip.yaml']);
  });

  test('has kube-vip ask the API server of its own host: kubeadm’s kubeconfig leads through the virtual IP', () => {
    expect(variablesOf(manifestOf(cluster, second))).toMatchObject({
      kubernetes_addr: 'https://10.88.0.12:6443',
      vip_nodename: 'cp-2',
    });
    const moved = structuredClone(cluster);
    moved.kubernetes.apiServer.port = 8443;
    expect(variablesOf(manifestOf(moved))).toMatchObject({ kubernetes_addr: 'https://10.88.0.11:8443', port: '8443' });
  });

  test('gives it the administrators’ kubeconfig, where it looks by itself, and never that of system:masters', () => {
    const pod = parse(manifestOf());
    expect(pod.spec.volumes).toEqual([
      { name: 'kubeconfig', hostPath: { path: '/etc/kubernetes/admin.conf', type: 'File' } },
    ]);
    expect(containerOf(manifestOf()).volumeMounts).toEqual([
      { name: 'kubeconfig', mountPath: '/etc/kubernetes/admin.conf', readOnly: true },
    ]);
    expect(manifestOf()).not.toContain('super-admin');
  });

  test('has the settings of the lease from the file, in numbers that kube-vip reads as texts', () => {
    const slow = kubeVipCluster({ leaseDurationSeconds: 15, renewDeadlineSeconds: 10, retryPeriodSeconds: 2 });
    expect(variablesOf(manifestOf(slow))).toMatchObject({
      vip_leaderelection: 'true',
      vip_leasename: 'plndr-cp-lock',
      cp_namespace: 'kube-system',
      vip_leaseduration: '15',
      vip_renewdeadline: '10',
      vip_retryperiod: '2',
    });
  });

  test('turns on the control plane by ARP, and nothing else that kube-vip can do', () => {
    const variables = variablesOf(manifestOf());
    expect(variables).toMatchObject({ vip_arp: 'true', cp_enable: 'true', vip_interface: 'eth0', vip_subnet: '32' });
    for (const name of ['svc_enable', 'lb_enable', 'bgp_enable', 'vip_ddns'])
      expect(variables).not.toHaveProperty(name);
    expect(variablesOf(manifestOf(cluster, first, 'bond0.7'))).toMatchObject({ vip_interface: 'bond0.7' });
  });

  test('lets it do with the network what it needs, and listen on loopback alone', () => {
    expect(containerOf(manifestOf()).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      runAsUser: 0,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW'] },
    });
    expect(variablesOf(manifestOf()).prometheus_server).toBe('127.0.0.1:2112');
  });

  test('changes with an edit, and the digest with it, where the process shows it', () => {
    const before = filesOf();
    const after = filesOf(kubeVipCluster({ leaseDurationSeconds: 6 }));
    expect(after.digests['kube-vip']).not.toBe(before.digests['kube-vip']);
    expect(variablesOf(before.manifests['kube-vip']).KUBEWRIGHT_CONFIG_DIGEST).toBe(before.digests['kube-vip']);
    expect(parse(before.manifests['kube-vip']).metadata.annotations).toEqual({
      'kubewright.dev/config-digest': before.digests['kube-vip'],
    });
  });
});
