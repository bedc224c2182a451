import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCluster } from '../../../src/cluster/load.js';
import { BASE, brief, problemsOf } from './helpers.js';

const directory = mkdtempSync(join(tmpdir(), 'kubewright-files-'));
mkdirSync(join(directory, 'keys'));
writeFileSync(join(directory, 'ca.pem'), 'a certificate\n');
writeFileSync(join(directory, 'keys/key.pem'), '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
afterAll(() => rmSync(directory, { recursive: true }));

const OPTIONS = { path: 'cluster.yaml', directory };
const kubernetes = (text: string) => `${BASE}  kubernetes:\n${text.replace(/^/gm, '    ')}\n`;
const briefly = (text: string) =>
  problemsOf(kubernetes(text), OPTIONS).map((problem) => brief(problem).replace(/^(! )?[\d:]+ /, '$1'));

describe('kubernetes.files', () => {
  it('become contents, or the names of variables; nothing of them stands in a cluster without any', () => {
    const text = kubernetes(`files:
  - { path: /etc/kubernetes/oidc/ca.pem, from: ca.pem }
  - { path: /etc/kubernetes/webhook/token, fromEnv: TOKEN }
apiServer:
  extraVolumes:
    - { name: plugins, hostPath: /opt/plugins, readOnly: true, pathType: Directory }
    - { name: sockets, hostPath: /run/kms, mountPath: /kms }`);
    const { cluster, warnings } = parseCluster(text, OPTIONS);
    expect(warnings).toEqual([]);
    expect(cluster.kubernetes.files).toEqual([
      { path: '/etc/kubernetes/oidc/ca.pem', content: 'a certificate\n', env: null },
      { path: '/etc/kubernetes/webhook/token', content: null, env: 'TOKEN' },
    ]);
    expect(cluster.kubernetes.apiServer.extraVolumes).toEqual([
      { name: 'plugins', hostPath: '/opt/plugins', mountPath: '/opt/plugins', readOnly: true, pathType: 'Directory' },
      { name: 'sockets', hostPath: '/run/kms', mountPath: '/kms', readOnly: false, pathType: null },
    ]);
    const plain = parseCluster(BASE, OPTIONS).cluster.kubernetes;
    expect(Object.keys({ ...plain, ...plain.apiServer, ...plain.scheduler })).not.toContain('files');
    expect(JSON.stringify(plain)).not.toContain('extraVolumes');
  });

  it('lie in a directory of their own, once, with one source that can be read', () => {
    expect(
      briefly(`files:
  - { path: /etc/kubernetes/ca.pem, from: ca.pem }
  - { path: /etc/kubernetes/pki/oidc.pem, from: ca.pem }
  - { path: /etc/kubernetes/manifests/x/y.yaml, from: ca.pem }
  - { path: /opt/ca.pem, from: ca.pem }
  - { path: /etc/kubernetes/a/../pki/ca.pem, from: ca.pem }
  - { path: /etc/kubernetes/a/ca.pem, from: ca.pem, fromEnv: CA }
  - { path: /etc/kubernetes/a/ca.pem }
  - { path: /etc/kubernetes/a/gone.pem, from: gone.pem }`),
    ).toEqual([
      'file-place spec.kubernetes.files[0].path',
      'file-place spec.kubernetes.files[1].path',
      'file-place spec.kubernetes.files[2].path',
      'file-place spec.kubernetes.files[3].path',
      'bad-value spec.kubernetes.files[4].path',
      'file-source spec.kubernetes.files[5]',
      'file-source spec.kubernetes.files[6]',
      'file-twice spec.kubernetes.files[6].path',
      'unreadable-text spec.kubernetes.files[7].from',
    ]);
  });

  it('that hold a private key come out of the environment', () => {
    const [problem] = problemsOf(
      kubernetes('files: [{ path: /etc/kubernetes/a/key.pem, from: keys/key.pem }]'),
      OPTIONS,
    );
    expect(problem).toMatchObject({ code: 'secret-in-file', expected: expect.stringContaining('fromEnv') });
    expect(JSON.stringify(problem)).not.toContain('AAAA');
  });
});

describe('extraVolumes', () => {
  it("are none of kubeadm's, by name and by place", () => {
    expect(
      briefly(`apiServer:
  extraVolumes:
    - { name: k8s-certs, hostPath: /opt/a }
    - { name: kubewright-1, hostPath: /opt/b }
    - { name: a, hostPath: /opt/c, mountPath: /etc/kubernetes/pki }
    - { name: b, hostPath: /opt/d, mountPath: /etc }
    - { name: b, hostPath: /opt/d }
    - { name: c, hostPath: /opt/e, mountPath: /opt/d }`),
    ).toEqual([
      'volume-name spec.kubernetes.apiServer.extraVolumes[0].name',
      'volume-name spec.kubernetes.apiServer.extraVolumes[1].name',
      'volume-mount spec.kubernetes.apiServer.extraVolumes[2]',
      'volume-mount spec.kubernetes.apiServer.extraVolumes[3]',
      'volume-twice spec.kubernetes.apiServer.extraVolumes[4].name',
      'volume-twice spec.kubernetes.apiServer.extraVolumes[5]',
    ]);
  });

  it('and delivered files are what a flag may name; another path is warned of', () => {
    expect(
      briefly(`files: [{ path: /etc/kubernetes/authz/webhook.yaml, fromEnv: WEBHOOK }]
apiServer:
  extraVolumes: [{ name: logs, hostPath: /var/log/kubernetes }]
  extraArgs:
    authorization-webhook-config-file: /etc/kubernetes/authz/webhook.yaml
    audit-policy-file: /etc/kubernetes/authz/policy.yaml
    audit-log-path: /var/log/kubernetes/audit.log
    egress-selector-config-file: /opt/egress.yaml
scheduler:
  extraArgs:
    tls-cert-file: /var/log/kubernetes/x`),
    ).toEqual([
      '! not-mounted spec.kubernetes.apiServer.extraArgs.egress-selector-config-file',
      '! not-mounted spec.kubernetes.scheduler.extraArgs.tls-cert-file',
    ]);
  });
});
