import type { Running } from './kubeadm.js';

/** One audit of the benchmark: whether it passes. */
export interface Check {
  id: string;
  /** Whether kube-bench counts it: what it calls manual is told as a warning. */
  scored: boolean;
  passes(running: Running): boolean;
}

type Program = Exclude<keyof Running, 'kubelet'>;
type Test = (value: string | undefined) => boolean;

const isSet: Test = (value) => value !== undefined;
const isUnset: Test = (value) => value === undefined;
const is =
  (wanted: string): Test =>
  (value) =>
    value === wanted;
const isOrUnset =
  (wanted: string): Test =>
  (value) =>
    value === undefined || value === wanted;
const has =
  (wanted: string): Test =>
  (value) =>
    value?.split(',').includes(wanted) ?? false;
const hasNot =
  (unwanted: string): Test =>
  (value) =>
    !(value?.split(',').includes(unwanted) ?? false);
const atLeast =
  (least: number): Test =>
  (value) =>
    Number(value) >= least;
const onlyOf =
  (allowed: string[]): Test =>
  (value) =>
    value?.split(',').every((one) => allowed.includes(one)) ?? false;

/** A check of flags of one program, all of which have to pass. */
function flags(id: string, program: Program, tests: Record<string, Test>, scored = true): Check {
  const passes = (running: Running) => Object.entries(tests).every(([name, test]) => test(running[program].get(name)));
  return { id, scored, passes };
}

const api = (id: string, tests: Record<string, Test>) => flags(id, 'kube-apiserver', tests);
const manualApi = (id: string, tests: Record<string, Test>) => flags(id, 'kube-apiserver', tests, false);

function kubelet(id: string, test: (config: Record<string, unknown>) => boolean, scored = false): Check {
  return { id, scored, passes: ({ kubelet: config }) => test(config) };
}

const at = (config: Record<string, unknown>, ...path: string[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], config);

const SUITES = ['TLS_ECDHE_ECDSA_WITH', 'TLS_ECDHE_RSA_WITH'].flatMap((start) => [
  `${start}_AES_128_GCM_SHA256`,
  `${start}_AES_256_GCM_SHA384`,
  `${start}_CHACHA20_POLY1305`,
]);

/**
 * What kube-bench asks of programs and their configuration (aquasecurity/kube-bench, cfg/cis-1.12: master.yaml 1.2 to 1.4,
 * etcd.yaml, controlplane.yaml 3.2, node.yaml 4.2), as rules of this test. What it asks of files on a host (1.1 and 4.1) only a
 * host can answer; what is for people to judge (3.1, 5) nobody else.
 */
export const CHECKS: Check[] = [
  manualApi('1.2.1', { 'anonymous-auth': is('false') }),
  api('1.2.2', { 'token-auth-file': isUnset }),
  manualApi('1.2.3', { 'enable-admission-plugins': has('DenyServiceExternalIPs') }),
  api('1.2.4', { 'kubelet-client-certificate': isSet, 'kubelet-client-key': isSet }),
  api('1.2.5', { 'kubelet-certificate-authority': isSet }),
  api('1.2.6', { 'authorization-mode': hasNot('AlwaysAllow') }),
  api('1.2.7', { 'authorization-mode': has('Node') }),
  api('1.2.8', { 'authorization-mode': has('RBAC') }),
  manualApi('1.2.9', { 'enable-admission-plugins': has('EventRateLimit') }),
  api('1.2.10', { 'enable-admission-plugins': hasNot('AlwaysAdmit') }),
  manualApi('1.2.11', { 'enable-admission-plugins': has('AlwaysPullImages') }),
  api('1.2.12', { 'disable-admission-plugins': hasNot('ServiceAccount') }),
  api('1.2.13', { 'disable-admission-plugins': hasNot('NamespaceLifecycle') }),
  api('1.2.14', { 'enable-admission-plugins': has('NodeRestriction') }),
  api('1.2.15', { profiling: is('false') }),
  api('1.2.16', { 'audit-log-path': isSet }),
  api('1.2.17', { 'audit-log-maxage': atLeast(30) }),
  api('1.2.18', { 'audit-log-maxbackup': atLeast(10) }),
  api('1.2.19', { 'audit-log-maxsize': atLeast(100) }),
  api('1.2.21', { 'service-account-lookup': isOrUnset('true') }),
  api('1.2.22', { 'service-account-key-file': isSet }),
  api('1.2.23', { 'etcd-certfile': isSet, 'etcd-keyfile': isSet }),
  api('1.2.24', { 'tls-cert-file': isSet, 'tls-private-key-file': isSet }),
  api('1.2.25', { 'client-ca-file': isSet }),
  api('1.2.26', { 'etcd-cafile': isSet }),
  manualApi('1.2.27', { 'encryption-provider-config': isSet }),
  manualApi('1.2.29', { 'tls-cipher-suites': onlyOf(SUITES) }),
  api('1.2.30', { 'service-account-extend-token-expiration': is('false') }),
  flags('1.3.1', 'kube-controller-manager', { 'terminated-pod-gc-threshold': isSet }, false),
  flags('1.3.2', 'kube-controller-manager', { profiling: is('false') }),
  flags('1.3.3', 'kube-controller-manager', { 'use-service-account-credentials': is('true') }),
  flags('1.3.4', 'kube-controller-manager', { 'service-account-private-key-file': isSet }),
  flags('1.3.5', 'kube-controller-manager', { 'root-ca-file': isSet }),
  flags('1.3.6', 'kube-controller-manager', { 'feature-gates': hasNot('RotateKubeletServerCertificate=false') }),
  flags('1.3.7', 'kube-controller-manager', { 'bind-address': isOrUnset('127.0.0.1') }),
  flags('1.4.1', 'kube-scheduler', { profiling: is('false') }),
  flags('1.4.2', 'kube-scheduler', { 'bind-address': isOrUnset('127.0.0.1') }),
  flags('2.1', 'etcd', { 'cert-file': isSet, 'key-file': isSet }),
  flags('2.2', 'etcd', { 'client-cert-auth': is('true') }),
  flags('2.3', 'etcd', { 'auto-tls': isOrUnset('false') }),
  flags('2.4', 'etcd', { 'peer-cert-file': isSet, 'peer-key-file': isSet }),
  flags('2.5', 'etcd', { 'peer-client-cert-auth': is('true') }),
  flags('2.6', 'etcd', { 'peer-auto-tls': isOrUnset('false') }),
  flags('2.7', 'etcd', { 'trusted-ca-file': isSet }, false),
  manualApi('3.2.1', { 'audit-policy-file': isSet }),
  kubelet('4.2.1', (config) => at(config, 'authentication', 'anonymous', 'enabled') === false, true),
  kubelet('4.2.2', (config) => at(config, 'authorization', 'mode') !== 'AlwaysAllow', true),
  kubelet('4.2.3', (config) => at(config, 'authentication', 'x509', 'clientCAFile') !== undefined, true),
  kubelet('4.2.4', ({ readOnlyPort = 0 }) => readOnlyPort === 0),
  kubelet('4.2.5', ({ streamingConnectionIdleTimeout }) => streamingConnectionIdleTimeout !== 0),
  kubelet('4.2.6', ({ makeIPTablesUtilChains = true }) => makeIPTablesUtilChains === true, true),
  kubelet('4.2.8', ({ eventRecordQPS = 50 }) => Number(eventRecordQPS) >= 0),
  kubelet(
    '4.2.9',
    ({ tlsCertFile, tlsPrivateKeyFile }) => tlsCertFile !== undefined && tlsPrivateKeyFile !== undefined,
  ),
  kubelet('4.2.10', ({ rotateCertificates = true }) => rotateCertificates === true, true),
  kubelet('4.2.11', (config) => at(config, 'featureGates', 'RotateKubeletServerCertificate') !== false),
  kubelet('4.2.12', ({ tlsCipherSuites = [] }) => onlyOf(SUITES)((tlsCipherSuites as string[]).join(',') || undefined)),
  kubelet('4.2.13', ({ podPidsLimit }) => podPidsLimit !== undefined),
  kubelet('4.2.14', ({ seccompDefault }) => seccompDefault === true),
];
