import { describe, expect, it } from 'vitest';
import { readSource } from '../../../src/first-steps/sources/index.js';

const K0SCTL = `
apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
metadata: { name: My_K0s }
spec:
  hosts:
    - role: controller
      privateAddress: 10.0.0.1
      ssh: { address: one.example.org, user: ops, port: 2222, keyPath: ~/.ssh/k0s, bastion: { address: gate.example.org } }
      installFlags: [--debug]
    - role: controller+worker
      ssh: { address: 10.0.0.2 }
    - role: controller
      noTaints: true
      openSSH: { address: 10.0.0.3 }
    - role: worker
      hostname: big
      ssh: { address: 10.0.0.4 }
      hooks: { apply: { before: [date] } }
    - role: wizard
      ssh: { address: 10.0.0.5 }
  k0s:
    version: v1.36.2+k0s.1
    config:
      spec:
        api: { externalAddress: api.example.org, sans: [api.example.org] }
        network: { provider: calico, podCIDR: 10.50.0.0/16 }
`;

describe('a k0sctl.yaml', () => {
  const draft = readSource(K0SCTL, 'k0sctl.yaml');

  it('gives hosts by their roles, with how they are reached', () => {
    expect(draft.name).toBe('my-k0s');
    const told = draft.hosts.map(({ name, role, address, runsPods }) => [name, role, address, runsPods]);
    expect(told).toEqual([
      ['cp-1', 'control-plane', '10.0.0.1', false],
      ['cp-2', 'control-plane', '10.0.0.2', true],
      ['cp-3', 'control-plane', '10.0.0.3', true],
      ['big', 'worker', '10.0.0.4', true],
    ]);
    expect(draft.hosts[0]?.ssh).toEqual({
      address: 'one.example.org',
      user: 'ops',
      port: 2222,
      keyFile: '~/.ssh/k0s',
      bastion: { address: 'gate.example.org', user: 'root' },
    });
  });

  it('gives what it says of the whole cluster, and tells the rest', () => {
    expect(draft.settings).toEqual({
      version: 'v1.36.2',
      podSubnet: '10.50.0.0/16',
      certificateSANs: ['api.example.org'],
      external: { address: 'api.example.org', port: 6443 },
    });
    expect(draft.leftOut.map((line) => line.split(':')[0])).toEqual([
      'installFlags of one.example.org',
      'hooks of big',
      'the host of 10.0.0.5',
      'k0s network.provider',
    ]);
  });

  it('has no hosts of Windows, and asks for the address of this machine', () => {
    const hosts =
      '    - { role: worker, os: windows2022, ssh: { address: 10.0.0.6 } }\n    - { role: worker, winRM: { address: 10.0.0.7 } }\n' +
      '    - { role: worker, hostname: here, localhost: { enabled: true } }\n';
    const { hosts: found, leftOut } = readSource(K0SCTL.replace('  k0s:\n', `${hosts}  k0s:\n`), 'k0sctl.yaml');
    expect(found.slice(4)).toMatchObject([{ name: 'here', address: undefined }]);
    expect(leftOut).toContain('localhost of here: it is this machine: give its address');
    expect(leftOut).toContain('the host of 10.0.0.6 and 10.0.0.7: it runs Windows, and every host is a Linux');
  });

  it('names no host as its load balancer', () => {
    const { settings } = readSource(K0SCTL.replace('externalAddress: api', 'externalAddress: one'), 'k0sctl.yaml');
    expect(settings.external).toBeUndefined();
  });

  it('gives the virtual IP of its own load balancing', () => {
    const balancing =
      'network: { controlPlaneLoadBalancing: { keepalived: { vrrpInstances: [{ virtualIPs: [10.0.0.9/22] }] } } }';
    const text = K0SCTL.replace(/api: \{ externalAddress.*\n.*/, balancing);
    expect(readSource(text, 'k0sctl.yaml').settings).toMatchObject({ vip: '10.0.0.9', prefixLength: 22 });
  });
});

const KUBEONE = `
apiVersion: kubeone.k8c.io/v1beta3
kind: KubeOneCluster
name: metal
versions: { kubernetes: 1.36.2 }
cloudProvider: { none: {} }
containerRuntime: { containerd: {} }
clusterNetwork: { podSubnet: 10.50.0.0/16, cni: { cilium: { enableHubble: true } } }
controlPlane:
  hosts:
    - publicAddress: 203.0.113.1
      privateAddress: 10.0.0.1
      sshUsername: ops
      sshPort: 2222
      sshPrivateKeyFile: /home/me/.ssh/metal
      sshAgentSocket: env:SSH_AUTH_SOCK
      taints: [{ key: node-role.kubernetes.io/control-plane, effect: NoSchedule }, { key: a, value: b, effect: NoExecute }]
    - { privateAddress: 10.0.0.2, bastion: 203.0.113.9, bastionUser: jump, taints: [] }
staticWorkers:
  hosts:
    - { publicAddress: 203.0.113.3, privateAddress: 10.0.0.3, labels: { disk: ssd, "bad label": x } }
apiEndpoint: { host: 203.0.113.1, port: 6443, alternativeNames: [api.example.org] }
addons: { enable: true }
`;

describe('a kubeone.yaml', () => {
  const draft = readSource(KUBEONE, 'kubeone.yaml');

  it('gives hosts with the private address, reached by the public one', () => {
    expect(draft.hosts).toMatchObject([
      {
        ...{ name: 'cp-1', role: 'control-plane', address: '10.0.0.1', runsPods: false },
        taints: [{ key: 'a', value: 'b', effect: 'NoExecute' }],
        ssh: { address: '203.0.113.1', user: 'ops', port: 2222, keyFile: '/home/me/.ssh/metal' },
      },
      { name: 'cp-2', address: '10.0.0.2', runsPods: true, ssh: { bastion: { address: '203.0.113.9', user: 'jump' } } },
      { name: 'w-1', role: 'worker', address: '10.0.0.3', labels: { disk: 'ssd' }, ssh: { address: '203.0.113.3' } },
    ]);
    expect(draft.hosts[1]?.ssh.address).toBeUndefined();
  });

  it('tells what it leaves out: an endpoint that is a host, the pod network, a label that is none', () => {
    const certificateSANs = ['api.example.org'];
    expect(draft.settings).toEqual({ version: '1.36.2', podSubnet: '10.50.0.0/16', certificateSANs });
    expect(draft.leftOut.map((line) => line.split(':')[0])).toEqual([
      'addons',
      'clusterNetwork.cni',
      'label bad label of w-1',
      'the address of the API, 203.0.113.1',
    ]);
  });

  it('knows a public address of a host behind a bastion, too', () => {
    const text = KUBEONE.replace(
      '{ privateAddress: 10.0.0.2,',
      '{ publicAddress: 203.0.113.2, privateAddress: 10.0.0.2,',
    );
    expect(readSource(text.replace('host: 203.0.113.1', 'host: 203.0.113.2'), 'x').settings.external).toBeUndefined();
  });

  it('gives a load balancer that is none of its hosts', () => {
    const text = KUBEONE.replace('host: 203.0.113.1, port: 6443', 'host: lb.example.org, port: 443');
    expect(readSource(text, 'kubeone.yaml').settings.external).toEqual({ address: 'lb.example.org', port: 443 });
  });
});

describe('a YAML', () => {
  it('is one with an INI of another program in it, too', () => {
    const cloud = `cloudProvider:\n  cloudConfig: |\n    [Global]\n    user = "x"\n`;
    expect(readSource(KUBEONE.replace('cloudProvider: { none: {} }\n', cloud), 'kubeone.yaml').name).toBe('metal');
    const inList =
      'masters:\n  hosts: { a: { ansible_host: 10.0.0.1 } }\nother:\n  vars:\n    text: |\n      [Service]\n      A=b\n';
    expect(readSource(inList, 'x').hosts.map(({ address }) => address)).toEqual(['10.0.0.1']);
  });

  it('tells the line from which a second document is left out, and is refused with a key that stands twice', () => {
    const second = `${K0SCTL}---\napiVersion: k0s.k0sproject.io/v1beta1\nkind: ClusterConfig\n`;
    const line = K0SCTL.split('\n').length + 1;
    expect(readSource(second, 'x').leftOut[0]).toMatch(
      new RegExp(`^everything from line ${line} on: a second document`),
    );
    expect(() => readSource(`${K0SCTL}metadata: { name: other }\n`, 'x')).toThrow(
      expect.objectContaining({
        code: 'KW111',
        message: expect.stringMatching(/^x:\d+:1: the key "?metadata"? stands twice/),
      }),
    );
  });
});

it('says of a kubeone.yaml without hosts how Terraform’s come into it', () => {
  const text = KUBEONE.replace(/controlPlane:[\s\S]*apiEndpoint/, 'apiEndpoint');
  expect(() => readSource(text, 'x')).toThrow(
    expect.objectContaining({ code: 'KW113', hint: expect.stringContaining('kubeone config dump -m') }),
  );
});

describe('another file', () => {
  it.each([
    ['a: [', 'KW111', /^x:1:\d+: /],
    ['', 'KW111', /is empty/],
    ['just words', 'KW112', /of no kind that is known/],
    ['a: 1', 'KW112', /of no kind that is known/],
    ['- a', 'KW112', /of no kind that is known/],
    ['apiVersion: kubewright.dev/v1alpha1\nkind: Cluster', 'KW112', /is a cluster.yaml already/],
    ['[workers]\na\n', 'KW113', /names no control plane/],
    ['apiVersion: k0sctl.k0sproject.io/v1beta1', 'KW113', /names no control plane/],
  ])('%j is refused by %s', (text, code, message) => {
    expect(() => readSource(text, 'x')).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});
