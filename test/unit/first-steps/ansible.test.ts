import { describe, expect, it } from 'vitest';
import { parseCluster } from '../../../src/cluster/load.js';
import type { Draft, DraftHost } from '../../../src/first-steps/draft.js';
import { settle } from '../../../src/first-steps/settle.js';
import { shellWords } from '../../../src/first-steps/sources/ansible/ini.js';
import { expandHosts } from '../../../src/first-steps/sources/ansible/ranges.js';
import { readSource } from '../../../src/first-steps/sources/index.js';

const read = (text: string): Draft => readSource(text, 'inventory');
/** Name, role and address of each host, as a person would list them. */
const listed = ({ hosts }: Draft) => hosts.map(({ name, role, address }) => `${name} ${role} ${address ?? '?'}`);
const host = ({ hosts }: Draft, name: string) => hosts.find((each) => each.name === name) as DraftHost;

/** As kubespray's own sample has it, by the names that it has now. */
const INI = `# a comment
[all]
node1 ansible_host=10.1.1.11 ip=192.168.0.11 etcd_member_name=etcd1
node2 ansible_host=10.1.1.12 ip=192.168.0.12  ; another comment
node[3:4] ansible_port=2222

[kube_control_plane]
node1
node2
node3 ansible_host=10.1.1.13

[etcd:children]
kube_control_plane

[kube_node]
node4 ansible_host=10.1.1.14 ansible_user="ops"

[all:vars]
ansible_user = ubuntu
ansible_ssh_private_key_file='~/.ssh/lab key'
ansible_become_password=canary-1

[k8s_cluster:children]
kube_control_plane
kube_node

[k8s_cluster:vars]
kube_network_plugin=calico
kube_pods_subnet=10.20.0.0/16
`;

const YAML = `
all:
  vars: { ansible_user: ubuntu, ansible_ssh_private_key_file: "~/.ssh/lab key", ansible_become_password: canary-1 }
  hosts:
    node1: { ansible_host: 10.1.1.11, ip: 192.168.0.11, etcd_member_name: etcd1 }
    node2: { ansible_host: 10.1.1.12, ip: 192.168.0.12 }
    node[3:4]: { ansible_port: 2222 }
  children:
    k8s_cluster:
      vars: { kube_network_plugin: calico, kube_pods_subnet: 10.20.0.0/16 }
      children:
        kube_control_plane: { hosts: { node1: , node2: , node3: { ansible_host: 10.1.1.13 } } }
        kube_node: { hosts: { node4: { ansible_host: 10.1.1.14, ansible_user: ops } } }
    etcd: { children: { kube_control_plane: {} } }
`;

/** What \`ansible-inventory --list\` prints of the same. */
const LIST = JSON.stringify({
  _meta: {
    hostvars: Object.fromEntries(
      [
        ['node1', { ansible_host: '10.1.1.11', ip: '192.168.0.11', etcd_member_name: 'etcd1' }],
        ['node2', { ansible_host: '10.1.1.12', ip: '192.168.0.12' }],
        ['node3', { ansible_host: '10.1.1.13', ansible_port: 2222 }],
        ['node4', { ansible_host: '10.1.1.14', ansible_port: 2222, ansible_user: 'ops' }],
      ].map(([name, own]) => [
        name,
        {
          ansible_user: 'ubuntu',
          ansible_ssh_private_key_file: '~/.ssh/lab key',
          ansible_become_password: 'canary-1',
          kube_network_plugin: 'calico',
          kube_pods_subnet: '10.20.0.0/16',
          ...(own as object),
        },
      ]),
    ),
  },
  all: { children: ['ungrouped', 'k8s_cluster', 'etcd'] },
  k8s_cluster: { children: ['kube_control_plane', 'kube_node'] },
  kube_control_plane: { hosts: ['node1', 'node2', 'node3'] },
  etcd: { children: ['kube_control_plane'] },
  kube_node: { hosts: ['node4'] },
});

describe('an Ansible inventory', () => {
  it.each([
    ['INI', INI],
    ['YAML', YAML],
    ['what ansible-inventory prints', LIST],
  ])('gives the same hosts, logins and settings as %s', (_, text) => {
    const draft = read(text);
    expect(listed(draft)).toEqual([
      'node1 control-plane 192.168.0.11',
      'node2 control-plane 192.168.0.12',
      'node3 control-plane 10.1.1.13',
      'node4 worker 10.1.1.14',
    ]);
    const keyFile = '~/.ssh/lab key';
    expect(host(draft, 'node1').ssh).toEqual({ address: '10.1.1.11', user: 'ubuntu', keyFile });
    expect(host(draft, 'node3').ssh).toEqual({ user: 'ubuntu', port: 2222, keyFile });
    expect(host(draft, 'node4').ssh).toEqual({ user: 'ops', port: 2222, keyFile });
    expect(draft.settings).toEqual({ podSubnet: '10.20.0.0/16' });
  });

  it('tells what it leaves out, one line each, and no secret', () => {
    const { leftOut } = read(INI);
    expect(leftOut).toEqual([
      expect.stringMatching(/^ansible_become_password of node1, node2, node3 and 1 more: a secret, /),
      expect.stringMatching(/^kube_network_plugin of node1, .*"network.plugin", flannel by default/),
      'etcd_member_name of node1: members of etcd have the names of their hosts',
    ]);
    expect(JSON.stringify(read(INI))).not.toContain('canary');
  });

  it.each([
    ['masters', 'workers'],
    ['kube-master', 'kube-node'],
    ['control_plane', 'worker-nodes'],
    ['Controllers', 'agents'],
    ['server', 'agent'],
  ])('knows the groups %s and %s', (controlPlanes, workers) => {
    const draft = read(`[${controlPlanes}]\n10.0.0.1\n[${workers}]\n10.0.0.2\n`);
    expect(listed(draft)).toEqual(['cp-1 control-plane 10.0.0.1', 'w-1 worker 10.0.0.2']);
  });

  it('lets control planes take pods where they are workers, not where every host is a node', () => {
    const runsPods = (group: string) =>
      host(read(`[masters]\na ansible_host=10.0.0.1\n[${group}]\na\nb ansible_host=10.0.0.2\n`), 'a').runsPods;
    expect([runsPods('kube_node'), runsPods('nodes')]).toEqual([true, false]);
  });

  it('has etcd on hosts of its own, or on the control planes, and tells what is neither', () => {
    const of = (etcd: string) => read(`[masters]\na\nb\nc\n[workers]\nw\n[etcd]\n${etcd}\n[unrelated]\nx\n`);
    const apart = of('e1\ne2\ne3');
    expect(apart.hosts.filter(({ role }) => role === 'etcd').map(({ name }) => name)).toEqual(['e1', 'e2', 'e3']);
    expect(of('a\nb\nw').leftOut).toContainEqual(expect.stringMatching(/^etcd of w: /));
    expect(of('a').leftOut).toContainEqual(expect.stringMatching(/^a control plane without etcd of b and c: /));
    expect(of('a').leftOut).toContainEqual(expect.stringMatching(/^the host of x: it is in no group /));
  });

  it('takes a bastion from its group or from ProxyJump, and tells other options of ssh', () => {
    const group = read(
      '[masters]\na ansible_host=10.0.0.1\n[bastion]\ngate ansible_host=gate.example.org ansible_user=jump\n',
    );
    expect(host(group, 'a').ssh.bastion).toEqual({ address: 'gate.example.org', user: 'jump' });
    expect(group.leftOut).toEqual([]);
    const jump = read(`[masters]\na ansible_ssh_common_args='-o ProxyJump=jump@gate.example.org:2200'\n`);
    expect(host(jump, 'a').ssh.bastion).toEqual({ address: 'gate.example.org', user: 'jump', port: 2200 });
    const other = read(`[masters]\na ansible_ssh_common_args='-o StrictHostKeyChecking=no'\n`);
    expect([host(other, 'a').ssh.bastion, other.leftOut]).toEqual([
      undefined,
      [expect.stringContaining('ansible_ssh_common_args of a: ')],
    ]);
  });

  it('makes names valid, each once, and tells', () => {
    const draft = read(
      '[masters]\nNode_1 ansible_host=10.0.0.1\nnode-1 ansible_host=10.0.0.2\nlocalhost ansible_host=10.0.0.3\n10.0.0.4\n',
    );
    expect(draft.hosts.map(({ name }) => name)).toEqual(['node-1-2', 'node-1', 'cp-1', 'cp-2']);
    expect(draft.notes).toEqual([
      expect.stringMatching(/^Node_1 is called node-1-2 here/),
      expect.stringMatching(/^localhost is called cp-1 here/),
      expect.stringMatching(/^10\.0\.0\.4 is called cp-2 here/),
    ]);
  });

  it('tells that a relative key file starts somewhere else here', () => {
    const { notes } = read('[masters]\na ansible_ssh_private_key_file=keys/id\nb ansible_ssh_private_key_file=~/id\n');
    expect(notes).toEqual(['the key file keys/id is looked for beside cluster.yaml']);
  });

  it('leaves out values that cannot be, and says why', () => {
    const { leftOut } = read(
      '[masters]\na ansible_host=fe80::1 ansible_user="{{ login }}" ansible_port=ssh\nb ansible_host=127.0.0.1\n',
    );
    expect(leftOut).toEqual([
      'address fe80::1 of a: IPv6 is not supported yet',
      'user {{ login }} of a: it is a template, and only what made it knows its value',
      'port ssh of a: cluster.yaml does not take such a value',
      expect.stringMatching(/^address 127\.0\.0\.1 of b: it is a loopback address/),
    ]);
  });

  it('takes labels, taints and names for certificates, as maps, lists, and texts of an INI', () => {
    const draft = read(
      `[masters]\na ansible_host=10.0.0.1 node_taints="['dedicated=db:NoExecute']"\n[workers]\nw node_labels='{"disk": "ssd"}' node_taints='["gpu:NoSchedule", "odd"]'\n` +
        `x node_labels=odd\n[all:vars]\nsupplementary_addresses_in_ssl_keys=['api.example.org']\n`,
    );
    expect(draft.settings.certificateSANs).toEqual(['api.example.org']);
    expect(host(draft, 'a').taints).toEqual([{ key: 'dedicated', value: 'db', effect: 'NoExecute' }]);
    expect(host(draft, 'w')).toMatchObject({
      labels: { disk: 'ssd' },
      taints: [{ key: 'gpu', value: '', effect: 'NoSchedule' }],
    });
    expect(draft.leftOut).toEqual(['taint odd of w: Kubernetes takes no such taint', 'labels of x: they are no map']);
    // A list of taints takes the place of kubeadm's own, which stays.
    const { cluster } = parseCluster(
      settle({ ...draft, hosts: draft.hosts.slice(0, 1), settings: { vip: '10.0.0.9' } }, '/').text,
      { path: '', directory: '/' },
    );
    expect(cluster.hosts[0]?.taints).toEqual([
      { key: 'node-role.kubernetes.io/control-plane', value: '', effect: 'NoSchedule' },
      { key: 'dedicated', value: 'db', effect: 'NoExecute' },
    ]);
  });

  it('has one address for the API: a virtual IP that is also the external one, or else the external one', () => {
    const of = (vip: string) =>
      read(
        JSON.stringify({
          masters: {
            hosts: { a: {} },
            vars: { kube_vip_address: vip, loadbalancer_apiserver: { address: '10.0.0.9', port: 443 } },
          },
        }),
      );
    expect(of('10.0.0.9')).toMatchObject({ settings: { vip: '10.0.0.9' }, leftOut: [] });
    expect(of('10.0.0.9').settings.external).toBeUndefined();
    const other = of('10.0.0.8');
    expect(other.settings).toEqual({ external: { address: '10.0.0.9', port: 443 }, vip: undefined });
    expect(other.leftOut).toEqual([expect.stringMatching(/^virtual IP 10\.0\.0\.8: /)]);
  });

  it('takes no variable for a host', () => {
    const draft = read('[masters]\nansible_password=canary-2\na ansible_host=10.0.0.1\n');
    expect(listed(draft)).toEqual(['a control-plane 10.0.0.1']);
    expect(draft.leftOut).toEqual([expect.stringMatching(/^ansible_password below \[masters\]: /)]);
  });

  it('has variables win over those of the groups around, whatever the groups are called', () => {
    const draft = read(
      '[z:children]\nmasters\n[z:vars]\nansible_user=outer\nansible_port=1\n[masters:vars]\nansible_user=inner\n[masters]\na\nb ansible_user=own\n[all:vars]\nansible_user=all\nansible_port=2\n',
    );
    expect(draft.hosts.map(({ ssh }) => [ssh.user, ssh.port])).toEqual([
      ['inner', 1],
      ['own', 1],
    ]);
  });

  it('goes round no circle of groups', () => {
    expect(listed(read('[masters:children]\nb\n[b:children]\nmasters\n[b]\n10.0.0.1\n'))).toEqual([
      'cp-1 control-plane 10.0.0.1',
    ]);
  });
});

describe('groups of an inventory', () => {
  it('takes a group of servers, controllers or managers for control planes only where none has a surer name', () => {
    const sure = read('[kube_control_plane]\n10.0.0.1\n[kube_node]\n10.0.0.2\n[servers]\nweb1\n[manager]\nawx\n');
    expect(listed(sure)).toEqual(['cp-1 control-plane 10.0.0.1', 'w-1 worker 10.0.0.2']);
    expect(sure.leftOut).toEqual([expect.stringMatching(/^the host of web1 and awx: it is in no group /)]);
    const around = '[workers]\n10.0.0.2\n10.0.0.3\n[servers:children]\nfirst\nworkers\n';
    for (const group of ['masters', 'first']) {
      expect(listed(read(`[${group}]\n10.0.0.1\n${around}`))).toEqual([
        'cp-1 control-plane 10.0.0.1',
        'w-1 worker 10.0.0.2',
        'w-2 worker 10.0.0.3',
      ]);
    }
  });

  it.each([
    ['n1\ne2 ansible_host=10.0.0.2\ne3', /^the host of e2 and e3: etcd shares .* take n1 out of \[etcd\]$/],
    ['n1\nw', /^etcd of w: members are on all control planes or /],
  ])('leaves etcd on n1 and on others to be decided: %j', (etcd, told) => {
    const draft = read(
      `[kube_control_plane]\nn1 ansible_host=10.0.0.1\n[kube_node]\nw ansible_host=10.0.0.9\n[etcd]\n${etcd}\n`,
    );
    expect(draft.leftOut).toEqual([expect.stringMatching(told)]);
    const { problems, text } = settle({ ...draft, settings: { vip: '10.0.0.100' } }, '/');
    expect(problems).toEqual([expect.objectContaining({ path: 'spec.hosts', column: 3 })]);
    expect(text.split('\n')[(problems[0]?.line ?? 0) - 1]).toBe('  hosts:');
  });
});

describe('lines of an INI', () => {
  it('tells words behind a host that are no variables, and shows none that may be a secret', () => {
    const draft = read(
      '[masters]\na ansible_host = 10.0.0.1 canary-3 ansible_user= canary-4 ansible_port =22 ; canary-5\n',
    );
    const why = 'variables are NAME=VALUE, without spaces around "="';
    expect(draft.leftOut).toEqual([
      `ansible_host of a: ${why}`,
      `a word behind the host of a: ${why}`,
      `ansible_user of a: ${why}`,
      `ansible_port of a: ${why}`,
    ]);
  });

  it('takes no variable with spaces around "=" for a host', () => {
    const draft = read('[masters]\n10.0.0.1\nansible_password = canary\nansible_user =ops\nY2FuYXJ5==\n');
    expect(listed(draft)).toEqual(['cp-1 control-plane 10.0.0.1']);
    expect(draft.leftOut.map((line) => line.split(':')[0])).toEqual([
      'ansible_password below [masters]',
      'ansible_user below [masters]',
      'a line below [masters]',
    ]);
  });
});

describe('variables that are not taken', () => {
  const left = (text: string) => read(text).leftOut;

  it('are addresses besides the node’s own and the one for SSH', () => {
    const lines = left(
      '[masters]\na ansible_host=10.0.0.1 ip=10.1.0.1 access_ip=203.0.113.1\n' +
        'b ansible_host=10.0.0.2 access_ip=10.0.0.2 ip=fe80::1\nc ansible_host=10.0.0.3 ip="{{ ansible_host }}"\n',
    );
    expect(lines).toEqual([
      'access_ip 203.0.113.1 of a: a node has one address, and its own is 10.1.0.1',
      'ip fe80::1 of b: IPv6 is not supported yet',
      expect.stringMatching(/^ip \{\{ ansible_host \}\} of c: it is a template, /),
    ]);
  });

  it('are settings of the whole cluster beside another host than the first control plane', () => {
    const why = 'it is a setting of the whole cluster, and that of the first control plane counts';
    const text =
      '[masters]\na\n[workers]\nw kube_version=1.36.2 dns_domain=other.local\n[all:vars]\ndns_domain=one.local\n';
    expect(left(text)).toEqual([`kube_version of w: ${why}`, `dns_domain of w: ${why}`]);
    expect(read(text).settings).toEqual({ dnsDomain: 'one.local' });
  });

  it('are templates where another name has a value, and names that say otherwise', () => {
    const draft = read(
      '[masters]\na ansible_host="{{ x }}" ansible_ssh_host=10.0.0.1 ansible_user=one ansible_ssh_user=two\n',
    );
    expect([listed(draft), host(draft, 'a').ssh.user]).toEqual([['a control-plane 10.0.0.1'], 'one']);
    expect(draft.leftOut).toEqual(['ansible_ssh_user of a: ansible_user says otherwise, and counts']);
  });

  it('are arguments of ssh beside one that names the bastion', () => {
    const of = (extra: string) =>
      left(`[masters]\na ansible_ssh_common_args='-J gate.example.org' ansible_ssh_extra_args='${extra}'\n`);
    expect(of('-o Compression=yes')).toEqual([expect.stringMatching(/^ansible_ssh_extra_args of a: options of ssh/)]);
    expect(of('-J other.example.org')).toEqual([
      'ansible_ssh_extra_args of a: a host has one bastion, and another variable names it',
    ]);
  });
});

it('takes no address of a host for a load balancer', () => {
  const of = (address: string) =>
    read(
      JSON.stringify({
        masters: {
          hosts: { a: { ansible_host: '203.0.113.1', ip: '10.0.0.1', access_ip: '10.9.0.1' } },
          vars: { loadbalancer_apiserver: { address } },
        },
      }),
    );
  expect(of('10.0.0.9').settings.external).toEqual({ address: '10.0.0.9', port: 6443 });
  for (const address of ['203.0.113.1', '10.0.0.1', '10.9.0.1']) {
    expect(of(address).settings).toEqual({});
    expect(of(address).leftOut).toContainEqual(
      expect.stringMatching(`^the address of the API, ${address}: it is a host`),
    );
  }
});

describe('values that Ansible has encrypted', () => {
  it.each([
    [
      'YAML',
      'masters:\n  hosts:\n    a:\n      ansible_host: !unsafe 10.0.0.1\n      ansible_user: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        6361\n      loadbalancer_apiserver:\n        address: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          6361\n',
    ],
    [
      'what ansible-inventory prints',
      '{"masters": {"hosts": {"a": {"ansible_host": {"__ansible_unsafe": "10.0.0.1"}, "ansible_user": {"__ansible_vault": "$ANSIBLE_VAULT;6361"}, "loadbalancer_apiserver": {"address": {"__ansible_vault": "$ANSIBLE_VAULT;6361"}}}}}}',
    ],
  ])('are left out of %s and told', (_, text) => {
    const draft = read(text);
    expect(listed(draft)).toEqual(['a control-plane 10.0.0.1']);
    expect([host(draft, 'a').ssh.user, draft.settings.external]).toEqual([undefined, undefined]);
    const why = 'it is encrypted, and only Ansible has the key';
    expect(draft.leftOut).toEqual([`ansible_user of a: ${why}`, `loadbalancer_apiserver.address of a: ${why}`]);
    expect(JSON.stringify(draft)).not.toContain('6361');
  });
});

it.each([
  ['node[1:3]', ['node1', 'node2', 'node3']],
  ['node[08:10].example.org', ['node08.example.org', 'node09.example.org', 'node10.example.org']],
  ['n[1:5:2]', ['n1', 'n3', 'n5']],
  ['db-[a:c]', ['db-a', 'db-b', 'db-c']],
  ['r[1:2]n[1:2]', ['r1n1', 'r1n2', 'r2n1', 'r2n2']],
  ['n[3:1]', ['n[3:1]']],
  ['n[a:3]', ['n[a:3]']],
  ['n[1:99999999]', ['n[1:99999999]']],
])('%s stands for its hosts', (pattern, hosts) => {
  expect(expandHosts(pattern)).toEqual(hosts);
});

it.each([
  [`a b='c d' # e`, ['a', 'b=c d']],
  [`a b="c \\" d"`, ['a', 'b=c " d']],
  [`a 'unclosed b`, ['a', 'unclosed b']],
  [`a b=c#d`, ['a', 'b=c']],
  ['', []],
])('%j is split as a shell does', (line, words) => {
  expect(shellWords(line)).toEqual(words);
});
