import { describe, expect, it } from 'vitest';
import { BASE, brief, edited, problemsOf } from './helpers.js';

/** Place, rule and path; what was found; what was expected. */
function full(text: string): string[] {
  return problemsOf(text).map((problem) => `${brief(problem)} | ${problem.found} | ${problem.expected}`);
}

describe('unknown keys', () => {
  it.each([
    [
      'a slip',
      edited(['address: 10.88.0.21', 'adress: 10.88.0.21']),
      '19:7 unknown-key spec.hosts[3].adress',
      'did you mean address?',
    ],
    ['another case', `${BASE}  ssh: { keyfile: ~/k }\n`, '21:10 unknown-key spec.ssh.keyfile', 'did you mean keyFile?'],
    ["another tool's word", edited(['  hosts:', '  nodes:']), '8:3 unknown-key spec.nodes', 'did you mean hosts?'],
    [
      'a key of another place',
      `${BASE}  podSubnet: 10.1.0.0/16\n`,
      '21:3 unknown-key spec.podSubnet',
      'it belongs to spec.kubernetes.podSubnet',
    ],
    ['a password', `${BASE}  ssh: { password: x }\n`, '21:10 unknown-key spec.ssh.password', 'ssh.sudoPasswordEnv'],
    [
      "ansible's password",
      edited(['role: worker', 'role: worker\n      ssh: { ansible_become_pass: x }']),
      '21:14 unknown-key spec.hosts[3].ssh.ansible_become_pass',
      'ssh.sudoPasswordEnv',
    ],
    ['a token', `${BASE}  joinToken: x\n`, '21:3 unknown-key spec.joinToken', 'secrets never stand in this file'],
    [
      'an address for all hosts',
      `${BASE}  ssh: { address: x }\n`,
      '21:10 unknown-key spec.ssh.address',
      'it belongs to',
    ],
  ])('%s', (_name, text, expected, hint) => {
    const problems = problemsOf(text);
    expect(problems.map(brief)).toEqual([expected]);
    expect(problems[0]?.message).toContain(hint);
  });

  it('lists the known keys when none is near', () => {
    expect(full(edited(['name: demo', 'name: demo\n  colour: red']))).toEqual([
      '5:3 unknown-key metadata.colour |  | one of name',
    ]);
  });

  it('checks what stands below a misspelt key in the same run', () => {
    const text = edited(
      ['  hosts:', '  nodes:'],
      ['address: 10.88.0.21', 'ip: 10.88.0.999'],
      ['role: worker', 'role: node'],
    );
    expect(problemsOf(text).map(brief)).toEqual([
      '8:3 unknown-key spec.nodes',
      '19:7 unknown-key spec.hosts[3].ip',
      '19:11 bad-value spec.hosts[3].address',
      '20:13 bad-value spec.hosts[3].role',
    ]);
  });

  it('leaves a key alone that is there beside its misspelt twin', () => {
    const text = edited(['vip: 10.88.0.100', 'vip: 10.88.0.100\n    vips: nonsense']);
    expect(problemsOf(text).map(brief)).toEqual(['8:5 unknown-key spec.endpoint.vips']);
  });
});

describe('values', () => {
  it.each<[name: string, text: string, expected: string]>([
    [
      'a missing key',
      edited(['    vip: 10.88.0.100\n', '    port: 8443\n']),
      '6:3 missing spec.endpoint.vip |  | an IPv4 address such as 10.88.0.100',
    ],
    ['a missing section', edited(['metadata:\n  name: demo\n', '']), '1:1 missing metadata |  | a map with name'],
    [
      'a key without a value',
      edited(['vip: 10.88.0.100', 'vip:']),
      '7:5 no-value spec.endpoint.vip |  | an IPv4 address such as 10.88.0.100',
    ],
    [
      'a colon without a space',
      edited(['name: demo', 'name:demo']),
      '4:3 bad-value metadata | "name:demo" | a map with name; a space is missing after the colon',
    ],
    [
      'an empty text',
      edited(['name: demo', 'name: ""']),
      '4:9 bad-value metadata.name | "" | a name such as demo: lower-case letters, digits and "-", at most 50 characters',
    ],
    [
      'a long cluster name',
      edited(['name: demo', `name: ${'a'.repeat(51)}`]),
      `4:9 bad-value metadata.name | "${'a'.repeat(51)}" | a name such as demo: lower-case letters, digits and "-", at most 50 characters`,
    ],
    [
      'another version of the format',
      edited(['v1alpha1', 'v1']),
      '1:13 bad-value apiVersion | "kubewright.dev/v1" | kubewright.dev/v1alpha1',
    ],
    [
      'a role of another tool',
      edited(['role: worker', 'role: master']),
      '20:13 bad-value spec.hosts[3].role | "master" | control-plane, worker, etcd or director; did you mean control-plane?',
    ],
    [
      'no host',
      edited([BASE.slice(BASE.indexOf('  hosts:')), '  hosts: []\n']),
      '8:10 bad-value spec.hosts | an empty list | at least one host with role control-plane',
    ],
    [
      'a host that is a text',
      edited([BASE.slice(BASE.indexOf('    - name: w-1')), '    - w-1\n']),
      '18:7 bad-value spec.hosts[3] | "w-1" | a map with name, address and role',
    ],
    [
      'a name in upper case',
      edited(['name: w-1', 'name: W_1']),
      '18:13 bad-value spec.hosts[3].name | "W_1" | a name such as cp-1: lower-case letters, digits, "-" and ".", at most 63 characters',
    ],
    [
      'a name that is a number',
      edited(['name: w-1', 'name: 1']),
      '18:13 bad-value spec.hosts[3].name | the number 1 | a name such as cp-1: lower-case letters, digits, "-" and ".", at most 63 characters, in quotes (without them YAML reads a number)',
    ],
    [
      'IPv6',
      edited(['address: 10.88.0.21', 'address: "fd00::21"']),
      '19:16 bad-value spec.hosts[3].address | "fd00::21" | an IPv4 address such as 10.88.0.11; IPv6 is not supported yet',
    ],
    [
      'an address with a prefix',
      edited(['vip: 10.88.0.100', 'vip: 10.88.0.100/24']),
      '7:10 bad-value spec.endpoint.vip | "10.88.0.100/24" | an IPv4 address such as 10.88.0.100, without a prefix length',
    ],
    [
      'an address with a port',
      edited(['vip: 10.88.0.100', 'vip: 10.88.0.100:8443']),
      '7:10 bad-value spec.endpoint.vip | "10.88.0.100:8443" | an IPv4 address such as 10.88.0.100, without a port',
    ],
    [
      'an octal-looking address',
      edited(['address: 10.88.0.21', 'address: 10.88.0.021']),
      '19:16 bad-value spec.hosts[3].address | "10.88.0.021" | an IPv4 address such as 10.88.0.11',
    ],
    [
      'two pod networks',
      `${BASE}  kubernetes: { podSubnet: "10.1.0.0/16,fd00::/64" }\n`,
      '21:28 bad-value spec.kubernetes.podSubnet | "10.1.0.0/16,fd00::/64" | an IPv4 network such as 10.244.0.0/16; IPv6 and dual stack are not supported yet',
    ],
    [
      'a version that YAML takes for a number',
      `${BASE}  kubernetes: { version: 1.34 }\n`,
      '21:26 bad-value spec.kubernetes.version | the number 1.34 | a Kubernetes version with three parts such as 1.34.3, in quotes (without them YAML reads a number)',
    ],
    [
      'a release candidate',
      `${BASE}  kubernetes: { version: 1.35.0-rc.1 }\n`,
      '21:26 bad-value spec.kubernetes.version | "1.35.0-rc.1" | a Kubernetes version with three parts such as 1.34.3',
    ],
    [
      'a port in quotes',
      `${BASE}  ssh: { port: "22" }\n`,
      '21:16 bad-value spec.ssh.port | "22" | a port from 1 to 65535, without quotes',
    ],
    ['port 0', `${BASE}  ssh: { port: 0 }\n`, '21:16 bad-value spec.ssh.port | the number 0 | a port from 1 to 65535'],
    [
      'a port too high',
      `${BASE}  ssh: { port: 65536 }\n`,
      '21:16 bad-value spec.ssh.port | the number 65536 | a port from 1 to 65535',
    ],
    [
      'yes for true',
      `${BASE}  ssh: { agent: yes }\n`,
      '21:17 bad-value spec.ssh.agent | "yes" | true or false, without quotes',
    ],
    [
      'VRRP id 0',
      edited(['vip: 10.88.0.100', 'vip: 10.88.0.100\n    virtualRouterId: 0']),
      '8:22 bad-value spec.endpoint.virtualRouterId | the number 0 | a whole number from 1 to 255',
    ],
    [
      'VRRP id 256',
      edited(['vip: 10.88.0.100', 'vip: 10.88.0.100\n    virtualRouterId: 256']),
      '8:22 bad-value spec.endpoint.virtualRouterId | the number 256 | a whole number from 1 to 255',
    ],
    [
      'an interval between centiseconds',
      edited(['vip: 10.88.0.100', 'vip: 10.88.0.100\n    advertIntervalMs: 205']),
      '8:23 bad-value spec.endpoint.advertIntervalMs | the number 205 | milliseconds from 10 to 40950, a multiple of 10',
    ],
    [
      'an interval too long',
      edited(['vip: 10.88.0.100', 'vip: 10.88.0.100\n    advertIntervalMs: 40960']),
      '8:23 bad-value spec.endpoint.advertIntervalMs | the number 40960 | milliseconds from 10 to 40950, a multiple of 10',
    ],
    [
      'a card that is a command',
      edited(['vip: 10.88.0.100', 'vip: 10.88.0.100\n    interface: "eth0; reboot"']),
      '8:16 bad-value spec.endpoint.interface | "eth0; reboot" | the name of a network card such as eth0',
    ],
    [
      'a user that is a command',
      `${BASE}  ssh: { user: "root; reboot" }\n`,
      '21:16 bad-value spec.ssh.user | "root; reboot" | the name of a login user such as root',
    ],
    [
      'a user that is an option',
      `${BASE}  ssh: { user: "-oProxyCommand=x" }\n`,
      '21:16 bad-value spec.ssh.user | "-oProxyCommand=x" | the name of a login user such as root',
    ],
    [
      'a variable in a path',
      `${BASE}  ssh: { keyFile: $HOME/.ssh/id }\n`,
      '21:19 bad-value spec.ssh.keyFile | "$HOME/.ssh/id" | a path such as ~/.ssh/id_ed25519, without quotes or $ in it',
    ],
    [
      'one key file as a list',
      `${BASE}  ssh: { keyFiles: ~/.ssh/id }\n`,
      '21:20 bad-value spec.ssh.keyFiles | "~/.ssh/id" | a list of paths',
    ],
    [
      'a name that is no variable',
      `${BASE}  ssh: { sudoPasswordEnv: "open sesame" }\n`,
      '21:27 bad-value spec.ssh.sudoPasswordEnv | something else (not shown) | the name of an environment variable such as SUDO_PASSWORD (never the password)',
    ],
    [
      'an unknown policy',
      `${BASE}  ssh: { hostKeys: no }\n`,
      '21:20 bad-value spec.ssh.hostKeys | "no" | strict or accept-new',
    ],
    [
      'a topology in upper case',
      `${BASE}  etcd: { topology: Stacked }\n`,
      '21:21 bad-value spec.etcd.topology | "Stacked" | stacked or external; did you mean stacked?',
    ],
    [
      'a flag with dashes',
      `${BASE}  kubernetes: { scheduler: { extraArgs: { --v: 2 } } }\n`,
      '21:43 bad-key spec.kubernetes.scheduler.extraArgs["--v"] | "--v" | the name of a flag without leading dashes, such as audit-log-maxage',
    ],
    [
      'a flag with a map',
      `${BASE}  kubernetes: { scheduler: { extraArgs: { v: { a: 1 } } } }\n`,
      '21:46 bad-value spec.kubernetes.scheduler.extraArgs.v | a map with a | a text on one line, a whole number, true or false',
    ],
    [
      'a flag on two lines',
      `${BASE}  kubernetes: { scheduler: { extraArgs: { v: "a\\nb" } } }\n`,
      '21:46 bad-value spec.kubernetes.scheduler.extraArgs.v | "a\\nb" | a text on one line, a whole number, true or false',
    ],
    [
      'a list of flags without a value',
      `${BASE}  kubernetes: { scheduler: { extraArgs: [{ name: v }] } }\n`,
      '21:42 missing spec.kubernetes.scheduler.extraArgs[0].value |  | a text on one line, a whole number, true or false',
    ],
    [
      'flags as a text',
      `${BASE}  kubernetes: { scheduler: { extraArgs: --v=2 } }\n`,
      '21:41 bad-value spec.kubernetes.scheduler.extraArgs | "--v=2" | a map { flag: value } or a list of { name, value }',
    ],
    [
      'a label without quotes',
      edited(['role: worker', 'role: worker\n      labels: { rack: 1.10 }']),
      '21:23 bad-value spec.hosts[3].labels.rack | the number 1.1 | at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit, in quotes (without them YAML reads a number)',
    ],
    [
      'a label with a bad key',
      edited(['role: worker', 'role: worker\n      labels: { a/b/c: x }']),
      '21:17 bad-key spec.hosts[3].labels["a/b/c"] | "a/b/c" | a key such as zone or example.org/zone',
    ],
    [
      'a taint as kubectl writes it',
      edited(['role: worker', 'role: worker\n      taints: ["a=b:NoSchedule"]']),
      '21:16 bad-value spec.hosts[3].taints[0] | "a=b:NoSchedule" | a map such as { key: dedicated, value: database, effect: NoSchedule }',
    ],
    [
      'a taint without effect',
      edited(['role: worker', 'role: worker\n      taints: [{ key: a }]']),
      '21:16 missing spec.hosts[3].taints[0].effect |  | NoSchedule, PreferNoSchedule or NoExecute',
    ],
    [
      'a sysctl that is a command',
      `${BASE}  sysctls: { "a; reboot": 1 }\n`,
      '21:14 bad-key spec.sysctls["a; reboot"] | "a; reboot" | the name of a sysctl such as net.core.somaxconn',
    ],
    [
      'a sysctl with a list',
      `${BASE}  sysctls: { vm.swappiness: [1] }\n`,
      '21:29 bad-value spec.sysctls["vm.swappiness"] | a list of 1 | a whole number or a text on one line',
    ],
    [
      'a SAN with a scheme',
      `${BASE}  kubernetes: { certificateSANs: ["https://x"] }\n`,
      '21:35 bad-value spec.kubernetes.certificateSANs[0] | "https://x" | a DNS name or an IPv4 address',
    ],
    [
      'checks with commas',
      `${BASE}  kubernetes: { ignorePreflightErrors: ["Swap,Mem"] }\n`,
      '21:41 bad-value spec.kubernetes.ignorePreflightErrors[0] | "Swap,Mem" | the name of a kubeadm preflight check such as SystemVerification',
    ],
    [
      'a balancer to come',
      `${BASE}  loadBalancer: { type: bird }\n`,
      '21:25 bad-value spec.loadBalancer.type | "bird" | haproxy-keepalived or static-pods or external or lvs or kube-vip',
    ],
    [
      'a plugin to come',
      `${BASE}  network: { plugin: weave }\n`,
      '21:22 bad-value spec.network.plugin | "weave" | flannel or calico or cilium or manifest or none',
    ],
    [
      'a key of another plugin',
      `${BASE}  network: { plugin: none, backend: { Type: vxlan } }\n`,
      '21:28 key-of-another-choice spec.network.backend | a map with Type | no such key, or plugin: flannel',
    ],
    [
      'a configuration that is a text',
      `${BASE}  runtime: { config: "version = 2" }\n`,
      '21:22 bad-value spec.runtime.config | "version = 2" | a map with settings of the runtime',
    ],
  ])('%s', (_name, text, expected) => expect(full(text)).toEqual([expected]));

  it('tells a wrong value from one that is not there: no default steps in for it', () => {
    // The default 10.244.0.0/16 would overlap the hosts; what is written is wrong, so nothing is known about it.
    const hosts = edited(['vip: 10.88.0.100', 'vip: 10.244.0.100']).replaceAll('address: 10.88', 'address: 10.244');
    expect(problemsOf(`${hosts}  kubernetes: { podSubnet: x }\n`).map(brief)).toEqual([
      '21:28 bad-value spec.kubernetes.podSubnet',
    ]);
    expect(problemsOf(`${hosts}  kubernetes: 5\n`).map(brief)).toEqual(['21:15 bad-value spec.kubernetes']);
  });

  it('reports a value that an alias repeats once', () => {
    const text = edited(
      ['role: worker', 'role: worker\n      ssh: *ssh'],
      ['  hosts:', '  ssh: &ssh { user: "a b" }\n  hosts:'],
    );
    expect(problemsOf(text).map((problem) => `${problem.line}:${problem.column} ${problem.code}`)).toEqual([
      '8:21 bad-value',
    ]);
  });
});
