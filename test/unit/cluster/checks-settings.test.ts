import { describe, expect, it } from 'vitest';
import { BASE, brief, parse, problemsOf } from './helpers.js';

const spec = (line: string) => `${BASE}  ${line}\n`;
const flags = (component: string, args: string) => spec(`kubernetes: { ${component}: { extraArgs: ${args} } }`);

describe('flags that Kubewright sets', () => {
  it.each([
    ['apiServer', 'advertise-address', "use the host's address"],
    ['apiServer', 'secure-port', 'spec.kubernetes.apiServer.port'],
    ['apiServer', 'etcd-servers', 'spec.etcd'],
    ['apiServer', 'service-cluster-ip-range', 'spec.kubernetes.serviceSubnet'],
    ['controllerManager', 'cluster-name', 'metadata.name'],
    ['controllerManager', 'cluster-cidr', 'spec.kubernetes.podSubnet'],
    ['controllerManager', 'secure-port', '10257'],
    ['scheduler', 'secure-port', '10259'],
    ['kubelet', 'node-ip', "use the host's address"],
    ['kubelet', 'hostname-override', "use the host's name"],
    ['kubelet', 'node-labels', "use the host's labels"],
    ['kubelet', 'cgroup-driver', 'systemd'],
  ])('%s %s is refused with the key to use', (component, flag, hint) => {
    for (const args of [`{ ${flag}: x }`, `[{ name: v, value: 2 }, { name: ${flag}, value: x }]`]) {
      const problems = problemsOf(flags(component, args));
      expect(problems.map(({ code, line }) => `${line} ${code}`)).toEqual(['21 managed-flag']);
      expect(problems[0]?.message).toContain(hint);
    }
  });

  it('at their place, in both ways of writing', () => {
    expect(problemsOf(flags('kubelet', '{ v: 2, node-ip: x }')).map(brief)).toEqual([
      '21:47 managed-flag spec.kubernetes.kubelet.extraArgs.node-ip',
    ]);
    expect(problemsOf(flags('kubelet', '[{ name: node-ip, value: x }]')).map(brief)).toEqual([
      '21:42 managed-flag spec.kubernetes.kubelet.extraArgs[0].name',
    ]);
    expect(problemsOf(spec('etcd: { extraArgs: { initial-cluster: x } }')).map(brief)).toEqual([
      '21:24 managed-flag spec.etcd.extraArgs.initial-cluster',
    ]);
  });

  it.each(['false', '"false"', '"F"', '0'])('anonymous-auth: %s is refused with the reason', (value) => {
    const [problem, ...more] = problemsOf(flags('apiServer', `{ anonymous-auth: ${value} }`));
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ code: 'anonymous-auth', line: 21, column: 59 });
    expect(problem?.message).toMatch(/readyz.*joining/);
  });

  it('anonymous-auth: true, and false on the kubelet, are fine', () => {
    expect(problemsOf(flags('apiServer', '{ anonymous-auth: true }'))).toEqual([]);
    expect(problemsOf(flags('kubelet', '{ anonymous-auth: false }'))).toEqual([]);
  });

  it.each([
    ['0640', '640'],
    ['1e3', '1000'],
    ['0x10', '16'],
    ['+1', '1'],
  ])('%s without quotes would arrive as %s', (source, number) => {
    const [problem, ...more] = problemsOf(flags('apiServer', `{ audit-log-mode: ${source} }`));
    expect(more).toEqual([]);
    expect(problem).toMatchObject({
      code: 'number-as-written',
      column: 59,
      expected: `"${source}" in quotes, or ${number}`,
    });
    expect(parse(flags('apiServer', `{ audit-log-mode: "${source}" }`)).kubernetes.apiServer.extraArgs[0]?.value).toBe(
      source,
    );
  });
});

describe("other programs' configuration", () => {
  it.each([
    [
      'kubernetes: { kubelet: { config: { cgroupDriver: cgroupfs } } }',
      '21:52 managed-setting spec.kubernetes.kubelet.config.cgroupDriver',
    ],
    [
      'kubernetes: { kubelet: { config: { clusterDomain: x } } }',
      '21:38 managed-setting spec.kubernetes.kubelet.config.clusterDomain',
    ],
    [
      'kubernetes: { kubelet: { config: { apiVersion: v1 } } }',
      '21:50 managed-setting spec.kubernetes.kubelet.config.apiVersion',
    ],
    [
      'kubernetes: { kubeProxy: { config: { clusterCIDR: 10.0.0.0/8 } } }',
      '21:40 managed-setting spec.kubernetes.kubeProxy.config.clusterCIDR',
    ],
    ['runtime: { config: { version: 2 } }', '21:24 managed-setting spec.runtime.config.version'],
  ])('%s contradicts the rest', (line, expected) => expect(problemsOf(spec(line)).map(brief)).toEqual([expected]));

  it('may repeat what is so anyway', () => {
    const config =
      '{ apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration, cgroupDriver: systemd, failCgroupV1: false }';
    expect(problemsOf(spec(`kubernetes: { kubelet: { config: ${config} } }`))).toEqual([]);
  });

  it("takes the lab's settings", () => {
    const lab = `${spec('kubernetes: { ignorePreflightErrors: [SystemVerification], kubeProxy: { config: { conntrack: { maxPerCore: 0, min: 0 } } } }')}  runtime: { config: { plugins: { io.containerd.grpc.v1.cri: { restrict_oom_score_adj: true } } } }
  ssh: { keyFile: ./id_ed25519, knownHostsFile: ./known_hosts, configFile: null, agent: false }
`;
    expect(problemsOf(lab)).toEqual([]);
    expect(parse(lab).kubernetes.kubeProxy.config).toEqual({ conntrack: { maxPerCore: 0, min: 0 } });
  });
});

describe('sysctls', () => {
  it.each([
    'net.ipv4.ip_forward',
    'net/ipv4/ip_forward',
    'net.ipv4.ip_nonlocal_bind',
    'net.bridge.bridge-nf-call-iptables',
  ])('%s: 0 would break the cluster', (name) => {
    expect(problemsOf(spec(`sysctls: { ${name}: 0 }`)).map(({ code, line }) => `${line} ${code}`)).toEqual([
      '21 needed-sysctl',
    ]);
    expect(problemsOf(spec(`sysctls: { ${name}: 1 }`))).toEqual([]);
  });

  it('a number is what stands there', () => {
    expect(problemsOf(spec('sysctls: { kernel.core_pattern: 010 }')).map(brief)).toEqual([
      '21:35 number-as-written spec.sysctls["kernel.core_pattern"]',
    ]);
  });
});

describe('secrets', () => {
  it.each([
    [
      'a registry password',
      'runtime: { config: { registry: { auth: { password: x } } } }',
      '21:54 secret-in-file spec.runtime.config.registry.auth.password',
    ],
    [
      "docker's auth",
      'runtime: { config: { configs: [{ auth: dXNlcjpwdw== }] } }',
      '21:42 secret-in-file spec.runtime.config.configs[0].auth',
    ],
    [
      'a private key',
      'kubernetes: { kubelet: { config: { x: "-----BEGIN RSA PRIVATE KEY-----" } } }',
      '21:41 secret-in-file spec.kubernetes.kubelet.config.x',
    ],
  ])('%s is refused', (_name, line, expected) => expect(problemsOf(spec(line)).map(brief)).toEqual([expected]));

  it('words that only sound like one are fine', () => {
    const config = '{ tokenTTL: 1h, authentication: { webhook: { enabled: true } }, secretPullPolicy: x }';
    expect(problemsOf(spec(`kubernetes: { kubelet: { config: ${config} } }`))).toEqual([]);
  });
});

describe('what a flag or a setting needs besides itself', () => {
  const config = (setting: string) => spec(`kubernetes: { kubelet: { config: { ${setting} } } }`);

  it.each([
    ['a policy without its file in the pod', '{ audit-policy-file: /etc/kubernetes/audit/policy.yaml }', 'not-mounted'],
    [
      'a key without its file in the pod',
      '{ encryption-provider-config: /etc/kubernetes/enc/enc.yaml }',
      'not-mounted',
    ],
    ['a log without a policy', '{ audit-log-path: "-" }', 'audit-without-policy'],
    ['plugins without NodeRestriction', '{ enable-admission-plugins: PodSecurity }', 'no-node-restriction'],
    [
      'images that are in no registry',
      '{ enable-admission-plugins: "NodeRestriction,AlwaysPullImages" }',
      'always-pull',
    ],
    [
      'a limit without its settings',
      '{ enable-admission-plugins: "NodeRestriction,EventRateLimit" }',
      'admission-config',
    ],
    ['kubelets without rights', '{ authorization-mode: RBAC }', 'authorization-mode'],
  ])('%s', (_, args, code) => {
    expect(problemsOf(flags('apiServer', args)).map((problem) => `${problem.line} ${problem.code}`)).toEqual([
      `21 ${code}`,
    ]);
  });

  it.each([
    '{ oidc-ca-file: /etc/kubernetes/pki/oidc.crt }',
    '{ oidc-ca-file: /etc/ssl/certs/oidc.pem }',
    '{ enable-admission-plugins: "NodeRestriction,PodSecurity" }',
    '{ authorization-mode: "Node,RBAC,Webhook" }',
    '{ audit-policy-file: /etc/kubernetes/pki/policy.yaml, audit-log-path: "-" }',
  ])('nothing is said of %s', (args) => {
    expect(problemsOf(flags('apiServer', args))).toEqual([]);
  });

  it.each([
    ['healthzPort: 0', 'healthz-off'],
    ['serverTLSBootstrap: true', 'serving-certificates'],
    ['protectKernelDefaults: true', 'kernel-defaults'],
    ['clusterDNS: [169.254.25.10]', 'managed-setting'],
  ])('the kubelet with %s', (setting, code) => {
    expect(problemsOf(config(setting)).map((problem) => problem.code)).toEqual([code]);
  });

  it('the kubelet may look after its kernel settings when they are what it wants', () => {
    const [problem] = problemsOf(config('protectKernelDefaults: true'));
    const sysctls = problem?.expected.replace('in spec.sysctls: ', '');
    expect(problemsOf(`${config('protectKernelDefaults: true')}  sysctls: { ${sysctls} }\n`)).toEqual([]);
  });

  it('another health port is followed', () => {
    expect(problemsOf(config('healthzPort: 10348'))).toEqual([]);
  });
});
