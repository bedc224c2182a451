import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectRecorded } from './support/applied-record.js';
import { DAYS, ETCD, PKI } from './support/etcd-service.js';
import { expectGivenBack, type HostStates, statesOf } from './support/given-back.js';
import { Installed } from './support/installed.js';
import { expectOutlivesBlackout, expectPostConditions, expectSurvivesAnyHost } from './support/post-conditions.js';

describe('an install with etcd as a service on three control planes, and one worker', () => {
  let cluster: Installed;
  let hostsBefore: HostStates;

  beforeAll(async () => {
    cluster = await Installed.up('etcd-systemd', 'stacked', { hosts: 4, spec: { etcd: ETCD } });
    hostsBefore = await statesOf(cluster);
    cluster.etcdPki = PKI;
    const began = Date.now();
    await cluster.install();
    console.log(`installed in ${Math.round((Date.now() - began) / 1000)} s`);
    await cluster.fetchKubeconfig();
  });
  afterAll(async () => {
    await cluster?.down();
  });

  expectPostConditions(() => cluster);
  expectRecorded(() => cluster);

  test('etcd is a service, under an account of its own, with data that nobody else reads; and no pod', async () => {
    for (const host of cluster.controlPlanes()) {
      const { stdout } = await host.exec(`systemctl is-active kubewright-etcd; systemctl is-enabled kubewright-etcd
ps -o user= -C etcd
stat -c '%a %U' /var/lib/etcd-member
crictl ps -q --name '^etcd$' | wc -l
ls -A /var/lib/etcd 2>/dev/null | wc -l`);
      expect(stdout.split('\n').map((line) => line.trim())).toEqual([
        'active',
        'enabled',
        'etcd',
        '700 etcd',
        '0',
        '0',
      ]);
    }
  });

  test('etcdctl finds every member of the cluster healthy', async () => {
    const [first] = cluster.controlPlanes();
    const tls = `--cacert=${PKI}/ca.crt --cert=${PKI}/healthcheck-client.crt --key=${PKI}/healthcheck-client.key`;
    const health = await first?.exec(
      `etcdctl --endpoints=https://127.0.0.1:2379 ${tls} endpoint health --cluster 2>&1`,
    );
    expect(health?.stdout.match(/is healthy/g)).toHaveLength(3);
  });

  test('the etcd CA’s key is on the first control plane and nowhere else, for root alone', async () => {
    const found = await Promise.all(
      cluster.lab.hosts.map(async (host) => {
        const { stdout } = await host.exec(
          `find / -xdev -path /proc -prune -o -path '*etcd*' -name 'ca.key' -printf '%p %m %U\\n' 2>/dev/null`,
        );
        return stdout === '' ? [] : [`${host.name} ${stdout}`];
      }),
    );
    expect(found.flat()).toEqual([`cp-1 ${PKI}/ca.key 600 0`]);
  });

  test('certificates are good for as long as the file says, for its names, and each server’s key is etcd’s alone', async () => {
    for (const host of cluster.controlPlanes()) {
      const { stdout } = await host.exec(`openssl x509 -noout -checkend ${(DAYS - 2) * 86_400} -in ${PKI}/server.crt
openssl x509 -noout -checkend ${(DAYS + 2) * 86_400} -in ${PKI}/server.crt || true
openssl x509 -noout -ext subjectAltName -in ${PKI}/peer.crt
stat -c '%n %a %U' ${PKI}/*.key`);
      expect(stdout).toMatch(/will not expire[\s\S]*will expire/);
      expect(stdout).toContain('DNS:etcd.example.org');
      expect(stdout).toContain(`${PKI}/server.key 600 etcd`);
      expect(stdout).toContain(`${PKI}/healthcheck-client.key 600 root`);
    }
  });

  test('a certificate that is gone is made anew by install, and etcd goes on without a restart', async () => {
    const [, host] = cluster.controlPlanes();
    if (host === undefined) throw new Error('no second control plane');
    const before = await host.exec('systemctl show -p MainPID --value kubewright-etcd');
    await host.exec(`rm ${PKI}/server.crt`);
    await cluster.install();
    await host.exec(`openssl x509 -noout -in ${PKI}/server.crt`);
    expect((await host.exec('systemctl show -p MainPID --value kubewright-etcd')).stdout).toBe(before.stdout);
    expect(await cluster.whole()).toBe(true);
  });

  test('API servers ask all members, with a client certificate and nothing that a member has', async () => {
    const wanted = cluster.controlPlanes().map(({ address }) => `https://${address}:2379`);
    for (const host of cluster.controlPlanes()) {
      const { stdout } = await host.exec(`grep -o -- '--etcd-servers=.*' /etc/kubernetes/manifests/kube-apiserver.yaml
ls /etc/kubernetes/pki/etcd`);
      expect(stdout.split('\n')).toEqual([`--etcd-servers=${wanted.join(',')}`, 'ca.crt']);
    }
  });

  test('kube-proxy and workers’ kubelets ask the balancer; a control plane’s kubelet its own API server', async () => {
    const balancer = `https://${cluster.lab.vip}:8443`;
    const proxy = await cluster.kubectl(['-n', 'kube-system', 'get', 'configmap', 'kube-proxy', '-o', 'yaml']);
    expect(proxy).toContain(`server: ${balancer}`);
    for (const host of cluster.nodes()) {
      const { stdout } = await host.exec(`awk '$1 == "server:" {print $2}' /etc/kubernetes/kubelet.conf`);
      expect(stdout).toBe(host.role === 'worker' ? balancer : `https://${host.address}:6443`);
    }
  });

  test('a second install changes nothing', async () => {
    const before = await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)));
    await cluster.install();
    expect(await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)))).toEqual(before);
  });

  expectSurvivesAnyHost(() => cluster, ['cp-1', 'cp-2', 'w-1']);
  expectOutlivesBlackout(() => cluster);
  expectGivenBack(() => ({ cluster, before: hostsBefore }));
});
