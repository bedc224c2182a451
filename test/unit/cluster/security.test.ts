import { describe, expect, it } from 'vitest';
import { parseCluster } from '../../../src/cluster/load.js';
import type { Cluster } from '../../../src/cluster/types.js';
import { planInstall } from '../../../src/plan/install.js';
import { BASE, brief, OPTIONS, parse, problemsOf } from './helpers.js';

const spec = (text: string) => `${BASE}${text.replace(/^/gm, '  ')}\n`;
const briefly = (text: string) =>
  problemsOf(spec(text)).map((problem) => brief(problem).replace(/^(! )?[\d:]+ /, '$1'));

/** Flags of a component, by name. */
function flagsOf(cluster: Cluster, component: 'apiServer' | 'controllerManager' | 'scheduler' | 'etcd') {
  const { extraArgs } = component === 'etcd' ? cluster.etcd : cluster.kubernetes[component];
  return Object.fromEntries(extraArgs.map(({ name, value }) => [name, value]));
}

describe('a file without hardening', () => {
  it('is the cluster that it was, and has the plan that it had', () => {
    const cluster = parse(BASE);
    expect(Object.keys(cluster)).not.toContain('security');
    expect(parse(spec('hardening: none\nsecurity:\n'))).toEqual(cluster);
    const actions = planInstall(cluster).map(({ action }) => action);
    for (const action of ['deliverFiles', 'deliverEncryptionKey', 'approveServingCertificate'])
      expect(actions).not.toContain(action);
  });
});

describe('hardening: cis', () => {
  const cluster = parse(spec('hardening: cis'));

  it('is taken without a word', () => expect(problemsOf(spec('hardening: cis'))).toEqual([]));

  it('sets every line', () => {
    expect(cluster.security).toEqual({
      audit: {
        policy: null,
        logPath: '/var/log/kubernetes/audit/audit.log',
        maxAgeDays: 30,
        maxBackups: 10,
        maxSizeMB: 100,
      },
      anonymousAccess: 'health',
      secretsEncryption: 'secretbox',
      kubeletServingCertificates: 'cluster',
      filePermissions: 'strict',
      podSecurity: {
        enforce: 'baseline',
        audit: 'restricted',
        warn: 'restricted',
        exemptNamespaces: ['kube-flannel', 'kube-system'],
      },
    });
    expect(cluster.sysctls).toMatchObject({ 'vm.overcommit_memory': '1', 'kernel.panic': '10' });
    expect(cluster.kubernetes.kubelet.config).toMatchObject({
      protectKernelDefaults: true,
      tlsMinVersion: 'VersionTLS12',
    });
  });

  it('adds the steps that it needs, each before who needs it', () => {
    const steps = planInstall(cluster);
    const needs = (id: string) => steps.find((step) => step.id === id)?.needs ?? [];
    expect(needs('cp-1/init')).toEqual(expect.arrayContaining(['cp-1/files', 'cp-1/encryption-key']));
    expect(needs('cp-2/join')).toEqual(expect.arrayContaining(['cp-2/files', 'cp-2/encryption-key']));
    // Two hosts never make a key at the same time.
    expect(needs('cp-2/encryption-key')).toEqual(['cp-2/system', 'cp-1/encryption-key']);
    expect(needs('w-1/serving-certificate')).toEqual(['w-1/join']);
    expect(needs('cp-1/serving-certificate')).toEqual(['cp-1/init']);
    expect(needs('cluster/nodes')).toEqual(
      expect.arrayContaining(['w-1/serving-certificate', 'cp-3/serving-certificate']),
    );
    const ids = steps.map(({ id }) => id);
    for (const step of steps)
      for (const need of step.needs) expect(ids.indexOf(need), need).toBeLessThan(ids.indexOf(step.id));
  });

  it('gives way to each line, flag, setting and sysctl of the file', () => {
    const own = parse(
      spec(`hardening: cis
security:
  audit: { policy: none }
  anonymousAccess: all
  secretsEncryption: none
  kubeletServingCertificates: self-signed
  podSecurity: { enforce: restricted, exemptNamespaces: [monitoring] }
  protectKernelDefaults: false
  profiling: true
  filePermissions: default
  tls: { minVersion: "1.3" }
sysctls: { kernel.panic: 30 }
kubernetes:
  apiServer: { extraArgs: { enable-admission-plugins: NodeRestriction } }
  kubelet: { config: { podPidsLimit: 100 } }`),
    );
    expect(own.security).toEqual({
      podSecurity: {
        enforce: 'restricted',
        audit: 'restricted',
        warn: 'restricted',
        exemptNamespaces: ['kube-flannel', 'kube-system', 'monitoring'],
      },
    });
    expect(flagsOf(own, 'apiServer')).toEqual({
      'admission-control-config-file': '/etc/kubernetes/kube-apiserver/admission.yaml',
      'enable-admission-plugins': 'NodeRestriction',
      profiling: 'true',
      'service-account-extend-token-expiration': 'false',
      'tls-min-version': 'VersionTLS13',
    });
    expect(flagsOf(own, 'etcd')).toEqual({ 'tls-min-version': 'TLS1.3' });
    expect(own.kubernetes.kubelet.config).toMatchObject({ podPidsLimit: 100, protectKernelDefaults: false });
    expect(own.sysctls).toEqual({ 'kernel.panic': '30' });
  });
});

describe('single lines', () => {
  it('set what they are about and nothing else', () => {
    const only = (line: string) => parse(spec(`security: { ${line} }`));
    const plain = parse(BASE);
    expect(flagsOf(only('profiling: false'), 'scheduler')).toEqual({ profiling: 'false' });
    expect(only('profiling: false').security).toBeUndefined();
    expect(flagsOf(only('anonymousAccess: health'), 'apiServer')).toEqual({
      'authentication-config': '/etc/kubernetes/kube-apiserver/authentication.yaml',
    });
    expect(only('protectKernelDefaults: true').kubernetes.kubelet.config).toEqual({ protectKernelDefaults: true });
    expect(only('certificates: { algorithm: RSA-3072, validityDays: 90 }').security).toEqual({
      certificates: { algorithm: 'RSA-3072', validityDays: 90 },
    });
    expect({ ...only('anonymousAccess: all'), places: undefined }).toEqual({ ...plain, places: undefined });
  });

  it('exempt the namespaces of the network that is chosen', () => {
    const cluster = parseCluster(
      spec('security: { podSecurity: { enforce: baseline } }\nnetwork: { plugin: none }'),
      OPTIONS,
    );
    expect(cluster.cluster.security?.podSecurity?.exemptNamespaces).toEqual(['kube-system']);
  });
});

describe('what cannot stand together is told at its place', () => {
  it('flags that the API server refuses beside an AuthenticationConfiguration', () => {
    expect(
      briefly(`security: { anonymousAccess: health }
kubernetes: { apiServer: { extraArgs: { oidc-issuer-url: "https://id.example.org", oidc-client-id: x, anonymous-auth: true } } }`),
    ).toEqual([
      'authentication-flags spec.kubernetes.apiServer.extraArgs.oidc-issuer-url',
      'authentication-flags spec.kubernetes.apiServer.extraArgs.oidc-client-id',
      'authentication-flags spec.kubernetes.apiServer.extraArgs.anonymous-auth',
    ]);
  });

  it('a line and a flag about the same file', () => {
    expect(
      briefly(`hardening: cis
kubernetes:
  files: [{ path: /etc/kubernetes/own/enc.yaml, fromEnv: ENC }]
  apiServer: { extraArgs: { encryption-provider-config: /etc/kubernetes/own/enc.yaml } }`),
    ).toEqual(['line-and-flag spec.kubernetes.apiServer.extraArgs.encryption-provider-config']);
  });

  it('cipher suites with TLS 1.3, unknown ones, and those without HTTP/2', () => {
    const tls = (text: string) => briefly(`security: { tls: { ${text} } }`);
    expect(tls('minVersion: "1.3", cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]')).toEqual([
      'cipher-suites spec.security.tls.cipherSuites',
    ]);
    expect(tls('cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_3DES_EDE_CBC_SHA]')).toEqual([
      'cipher-suites spec.security.tls.cipherSuites[1]',
    ]);
    expect(tls('cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]')).toEqual([
      'cipher-suites spec.security.tls.cipherSuites',
    ]);
    expect(tls('cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]')).toEqual([]);
    expect(tls('minVersion: 1.2')).toEqual(['bad-value spec.security.tls.minVersion']);
  });

  it('kernel settings that the kubelet would not run with', () => {
    expect(briefly('hardening: cis\nsysctls: { kernel.panic: 30 }')).toEqual(['kernel-defaults spec.hardening']);
  });
});
