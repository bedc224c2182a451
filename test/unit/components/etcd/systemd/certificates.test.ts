import { beforeEach, describe, expect, test } from 'vitest';
import { createEtcdAuthority } from '../../../../../src/components/etcd/external/steps/createEtcdAuthority.js';
import { deliverEtcdCertificates } from '../../../../../src/components/etcd/external/steps/deliverEtcdCertificates.js';
import { deliverEtcdClient } from '../../../../../src/components/etcd/external/steps/deliverEtcdClient.js';
import { etcdOf } from '../../../../../src/components/registry/plan.js';
import type { Action } from '../../../../../src/plan/types.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../../activities/fake-hosts.js';
import { systemdCluster } from './fixture.js';

const cluster = systemdCluster();
const NOTHING = { done: false, found: '', changes: [] };

let hosts: Map<string, FakeHost>;
const contextOf = (action: Action, host: string) => contextAmong(hosts, cluster, action, host);

beforeEach(() => {
  hosts = fakeHosts(cluster);
});

/** `MODE[:OWNER] PATH` of what was put in place on a host. */
const placedOn = (name: string): string[] =>
  (hostIn(hosts, name).scripts.at(-1)?.input ?? '')
    .split('\n')
    .flatMap((line) =>
      line.includes(' ')
        ? [
            line
              .split(' ')
              .filter((_, index) => index !== 1)
              .slice(0, 2)
              .join(' '),
          ]
        : [],
    )
    .sort();

describe('certificates of members that systemd runs', () => {
  test('are made where the CA’s key is, apart from kubeadm’s own, and servers’ keys are of their account alone', async () => {
    const names = [
      'ca.crt',
      ...['server', 'peer', 'healthcheck-client'].flatMap((name) => [`${name}.crt`, `${name}.key`]),
    ];
    const made = names.map((name) => `${name} ${Buffer.from(name).toString('base64')}\n`).join('');
    const authority = hostIn(hosts, 'cp-1').answer('kubeadm init phase certs', made);
    hostIn(hosts, 'cp-2').answer('systemd-sysusers', '');
    await deliverEtcdCertificates.apply(contextOf('deliverEtcdCertificates', 'cp-2'), NOTHING);
    expect(authority.log).toContain('[ -e /etc/kubewright/pki/etcd/ca.key ]');
    expect(authority.log).toContain('certificateValidityPeriod: 8760h0m0s');
    expect(placedOn('cp-2')).toEqual(
      [
        '0600 /etc/kubewright/pki/etcd/healthcheck-client.key',
        '0600:etcd /etc/kubewright/pki/etcd/peer.key',
        '0600:etcd /etc/kubewright/pki/etcd/server.key',
        '0644 /etc/kubewright/pki/etcd/ca.crt',
        '0644 /etc/kubewright/pki/etcd/healthcheck-client.crt',
        '0644 /etc/kubewright/pki/etcd/peer.crt',
        '0644 /etc/kubewright/pki/etcd/server.crt',
      ].sort(),
    );
    expect(hostIn(hosts, 'cp-2').files.get('/etc/sysusers.d/kubewright-etcd.conf')).toContain('\nu etcd - ');
  });

  test('are not brought where their account cannot be made', async () => {
    hostIn(hosts, 'cp-1').answer('kubeadm init phase certs', `${'x eA==\n'.repeat(7)}`);
    hostIn(hosts, 'cp-2').answer('systemd-sysusers', { exitCode: 1, stdout: 'Failed to write /etc/group: Read-only' });
    await expect(
      deliverEtcdCertificates.apply(contextOf('deliverEtcdCertificates', 'cp-2'), NOTHING),
    ).rejects.toMatchObject({ code: 'KW479', host: 'cp-2', output: expect.stringContaining('Read-only') });
  });

  test('an authority is never made a second time, nor taken for another one’s because a control plane is a client of it', async () => {
    hostIn(hosts, 'cp-2').fact('ca', 'the CA');
    const again = createEtcdAuthority.apply(contextOf('createEtcdAuthority', 'cp-1'), NOTHING);
    await expect(again).rejects.toMatchObject({
      code: 'KW471',
      hint: expect.stringContaining('/etc/kubewright/pki/etcd/ca.key'),
    });
    expect(hostIn(hosts, 'cp-2').log).toContain('ask ca content /etc/kubewright/pki/etcd/ca.crt');
    expect(hostIn(hosts, 'cp-1').log).not.toContain('kubeadm');
  });

  test('of API servers go to where kubeadm looks for them, also on the host with the CA’s key', async () => {
    for (const path of ['etcd/ca.crt', 'apiserver-etcd-client.crt', 'apiserver-etcd-client.key']) {
      hostIn(hosts, 'cp-1').files.set(`/etc/kubewright/pki/${path}`, path);
    }
    await deliverEtcdClient.apply(contextOf('deliverEtcdClient', 'cp-1'), NOTHING);
    expect(placedOn('cp-1')).toEqual([
      '0600 /etc/kubernetes/pki/apiserver-etcd-client.key',
      '0644 /etc/kubernetes/pki/apiserver-etcd-client.crt',
      '0644 /etc/kubernetes/pki/etcd/ca.crt',
    ]);
  });

  test('are renewed by the steps, all but the authority’s own', () => {
    const { renews } = etcdOf(cluster);
    const renewed = [
      'etcd/server',
      'etcd/peer',
      'etcd/healthcheck-client',
      'etcd/ca',
      'apiserver-etcd-client',
      'ca',
    ].filter((name) => renews?.test(`/etc/kubewright/pki/${name}.crt`));
    expect(renewed).toEqual(['etcd/server', 'etcd/peer', 'etcd/healthcheck-client', 'apiserver-etcd-client']);
  });
});
