import { describe, expect, it } from 'vitest';
import { certificates } from '../../../../../src/activities/check/host/certificates.js';
import { Facts, factsProgram } from '../../../../../src/activities/remote-facts.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { made } from './made-certificate.js';
import { at, lay, link, look, output, remove, useOneHost } from './one-host.js';

useOneHost();

const DAY_MS = 86_400_000;
const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1 });
const WORKER = at(CLUSTER, 'w-1');
const CONTROL_PLANE = at(CLUSTER, 'cp-1');
const KUBELET = '/var/lib/kubelet/pki/kubelet-client-2026.pem';

const year = made(365);
const month = made(20);

const kubeconfig = ({ certificate, key }: typeof year): string =>
  `apiVersion: v1
kind: Config
users:
- name: x
  user:
    client-certificate-data: ${Buffer.from(certificate).toString('base64')}
    client-key-data: ${Buffer.from(key).toString('base64')}
`;

function layWorker(pair: typeof year): void {
  lay(KUBELET, `${pair.certificate}${pair.key}`);
  link('/var/lib/kubelet/pki/kubelet-client-current.pem', 'kubelet-client-2026.pem');
}

function layControlPlane(): void {
  const names = ['ca', 'apiserver', 'apiserver-kubelet-client', 'front-proxy-ca', 'front-proxy-client'];
  const etcd = ['ca', 'server', 'peer', 'healthcheck-client'].map((name) => `etcd/${name}`);
  for (const name of [...names, 'apiserver-etcd-client', ...etcd])
    lay(`/etc/kubernetes/pki/${name}.crt`, year.certificate);
  for (const name of ['controller-manager', 'scheduler', 'admin'])
    lay(`/etc/kubernetes/${name}.conf`, kubeconfig(year));
  layWorker(year);
}

describe('certificates as files', () => {
  it('that are good for long are no fault, on a control plane with all of them', async () => {
    layControlPlane();
    expect(await look(certificates, CONTROL_PLANE)).toEqual([]);
  });

  it('that end within thirty days are told with their days, and those that have ended by another code', async () => {
    layControlPlane();
    lay('/etc/kubernetes/pki/apiserver.crt', month.certificate);
    lay('/etc/kubernetes/scheduler.conf', kubeconfig(month));
    const soon = await look(certificates, CONTROL_PLANE);
    expect(soon).toEqual([
      {
        code: 'KW644',
        evidence: expect.stringMatching(
          /^certificates end soon: .*pki\/apiserver\.crt in 19 days \(20\d\d-\d\d-\d\d\), .*scheduler\.conf in 19 days/,
        ),
        hint: expect.stringContaining('kubeadm certs renew all'),
      },
    ]);
    const late = await look(certificates, CONTROL_PLANE, { now: Date.now() + 21 * DAY_MS });
    expect(late).toMatchObject([{ code: 'KW643', evidence: expect.stringContaining('apiserver.crt 1 day ago (') }]);
  });

  it('of a kubelet are told with the way that renews them', async () => {
    layWorker(year);
    expect(await look(certificates, WORKER, { now: Date.now() + 334 * DAY_MS })).toEqual([]);
    expect(await look(certificates, WORKER, { now: Date.now() + 336 * DAY_MS })).toMatchObject([
      { code: 'KW644', hint: expect.stringContaining('The kubelet renews its own') },
    ]);
  });

  it('of a kubelet that live for less than a year are left to it until a tenth of their life is left', async () => {
    layWorker(month);
    const serving = '/var/lib/kubelet/pki/kubelet-server-current.pem';
    const cluster = { ...CLUSTER, security: { ...CLUSTER.security, kubeletServingCertificates: 'cluster' } };
    lay(serving, `${month.certificate}${month.key}`);
    const asked = at(cluster as typeof CLUSTER, 'w-1');
    expect(await look(certificates, asked, { now: Date.now() + 17 * DAY_MS })).toEqual([]);
    const [fault, ...more] = await look(certificates, asked, { now: Date.now() + 18.5 * DAY_MS });
    expect(fault).toMatchObject({ code: 'KW644', evidence: expect.stringContaining(serving) });
    expect(fault?.evidence).toContain('kubelet-client-current.pem');
    expect(more).toEqual([]);
  });

  it('of a bundle count by the first that ends', async () => {
    layControlPlane();
    lay('/etc/kubernetes/pki/ca.crt', `${year.certificate}${month.certificate}`);
    expect(await look(certificates, CONTROL_PLANE)).toMatchObject([
      { code: 'KW644', evidence: expect.stringContaining('pki/ca.crt in 19 days') },
    ]);
  });

  it('that are missing are told where the host needs them, and nowhere else', async () => {
    expect(await look(certificates, WORKER)).toMatchObject([
      { code: 'KW645', evidence: 'certificates are missing: /var/lib/kubelet/pki/kubelet-client-current.pem' },
    ]);
    layControlPlane();
    remove('/etc/kubernetes/admin.conf');
    expect(await look(certificates, CONTROL_PLANE)).toEqual([]);
    remove('/etc/kubernetes/pki/front-proxy-client.crt');
    expect(await look(certificates, CONTROL_PLANE)).toMatchObject([
      { code: 'KW645', evidence: expect.stringContaining('/etc/kubernetes/pki/front-proxy-client.crt') },
    ]);
  });

  it('that cannot be read are never taken for good ones', async () => {
    layWorker(year);
    lay(KUBELET, year.key);
    expect(await look(certificates, WORKER)).toMatchObject([
      { code: 'KW642', evidence: expect.stringContaining('kubelet-client-current.pem') },
    ]);
    lay(KUBELET, '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n');
    expect(await look(certificates, WORKER)).toMatchObject([{ code: 'KW642' }]);
  });

  it('leave no key behind, also where a file is cut short or holds its key in the wrong place', async () => {
    layControlPlane();
    const key = year.key.split('\n')[1] as string;
    lay(KUBELET, `-----BEGIN CERTIFICATE-----\nQUJD\n${year.key}-----END CERTIFICATE-----\n`);
    lay('/etc/kubernetes/admin.conf', kubeconfig({ certificate: `${year.certificate}${year.key}`, key: year.key }));
    const facts = new Facts(await output(factsProgram(certificates.questions(CONTROL_PLANE))));
    const words = facts.text('certificates').split(/\s/);
    // Whatever is base64 in it, once or twice, is looked into.
    const decoded = words.map((word) => Buffer.from(word, 'base64').toString('latin1'));
    const said = [...words, ...decoded, ...decoded.map((text) => Buffer.from(text, 'base64').toString('latin1'))];
    expect(words.filter((word) => word.endsWith('/admin.conf'))).toHaveLength(1);
    expect(said.filter((text) => text.includes(key) || text.includes('PRIVATE KEY'))).toEqual([]);
    const raw = Buffer.from(key, 'base64').subarray(0, 24).toString('latin1');
    expect(said.filter((text) => text.includes(raw))).toEqual([]);
  });

  it('of a member that systemd runs are looked for where it has them, and are renewed by an install', async () => {
    const cluster = clusterOf({ controlPlanes: 1, workers: 1, etcd: 3 });
    const systemd = { ...cluster, etcd: { ...cluster.etcd, runner: 'systemd' } } as typeof cluster;
    for (const name of ['ca', 'server', 'peer', 'healthcheck-client'])
      lay(`/etc/kubewright/pki/etcd/${name}.crt`, name === 'server' ? month.certificate : year.certificate);
    expect(await look(certificates, at(systemd, 'etcd-1'))).toMatchObject([
      {
        code: 'KW644',
        evidence: expect.stringContaining('/etc/kubewright/pki/etcd/server.crt'),
        hint: expect.stringMatching(/^`kubewright install` .* anew\.$/),
      },
    ]);
  });
});
