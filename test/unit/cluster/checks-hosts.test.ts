import { describe, expect, it } from 'vitest';
import { BASE, brief, edited, parse, problemsOf } from './helpers.js';

type Case = [name: string, text: string, expected: string, message?: string];

function expectOnly([, text, expected, message]: Case): void {
  const problems = problemsOf(text);
  expect(problems.map(brief)).toEqual([expected]);
  if (message !== undefined) expect(problems[0]?.message).toContain(message);
}

/** The base with the roles of its hosts, in their order; more roles than hosts add hosts. */
function withRoles(...roles: string[]): string {
  const head = BASE.slice(0, BASE.indexOf('    - name: cp-1'));
  const hosts = roles.map(
    (role, index) => `    - { name: h-${index}, address: 10.88.0.${index + 1}, role: ${role} }\n`,
  );
  return head + hosts.join('');
}

const CP = 'control-plane';

describe('names and addresses', () => {
  const cases: Case[] = [
    ['a name twice', edited(['name: w-1', 'name: cp-2']), '18:13 duplicate-name spec.hosts[3].name', '(line 12)'],
    [
      'an address twice',
      edited(['address: 10.88.0.21', 'address: 10.88.0.12']),
      '19:16 duplicate-address spec.hosts[3].address',
      '(line 13)',
    ],
    [
      'the name "cluster"',
      edited(['name: w-1', 'name: cluster']),
      '18:13 reserved-name spec.hosts[3].name',
      'reserved',
    ],
    ['the name "localhost"', edited(['name: w-1', 'name: localhost']), '18:13 reserved-name spec.hosts[3].name'],
    ['an address for a name', edited(['name: w-1', 'name: 10.88.0.21']), '18:13 name-is-address spec.hosts[3].name'],
    [
      'a loopback address',
      edited(['address: 10.88.0.21', 'address: 127.0.0.1']),
      '19:16 unusable-address spec.hosts[3].address',
      'loopback',
    ],
    [
      'a multicast address',
      edited(['address: 10.88.0.21', 'address: 224.0.0.18']),
      '19:16 unusable-address spec.hosts[3].address',
      'multicast',
    ],
    [
      'a link-local address',
      edited(['address: 10.88.0.21', 'address: 169.254.1.1']),
      '19:16 unusable-address spec.hosts[3].address',
      'link-local',
    ],
    [
      'no address',
      edited(['address: 10.88.0.21', 'address: 0.0.0.0']),
      '19:16 unusable-address spec.hosts[3].address',
      'every address',
    ],
    [
      'the network address',
      edited(['address: 10.88.0.21', 'address: 10.88.0.0']),
      '19:16 address-is-edge spec.hosts[3].address',
      'network address of 10.88.0.0/24',
    ],
    [
      'the broadcast address',
      edited(['address: 10.88.0.21', 'address: 10.88.0.255']),
      '19:16 address-is-edge spec.hosts[3].address',
      'broadcast',
    ],
  ];
  it.each(cases)('%s is refused', (...one) => expectOnly(one));

  it('names three times, each at its place', () => {
    const text = BASE.replaceAll(/name: (cp|w)-\d/g, 'name: node');
    expect(problemsOf(text).map(brief)).toEqual(
      [12, 15, 18].map((line, i) => `${line}:13 duplicate-name spec.hosts[${i + 1}].name`),
    );
  });

  it('dots in a name are fine', () => {
    expect(parse(edited(['name: w-1', 'name: w-1.example.org'])).hosts[3]?.name).toBe('w-1.example.org');
  });
});

describe('topology', () => {
  const cases: Case[] = [
    ['no control plane', withRoles('worker', 'worker'), '8:3 no-control-plane spec.hosts'],
    [
      'two control planes',
      withRoles(CP, CP, 'worker'),
      '8:3 even-etcd-members spec.hosts',
      '2 survive no more failures than 1',
    ],
    ['four control planes', withRoles(CP, CP, CP, CP, 'worker'), '8:3 even-etcd-members spec.hosts'],
    ['one control plane', withRoles(CP, 'worker'), '! 8:3 single-etcd-member spec.hosts', 'no high availability'],
    ['nine control planes', withRoles(...Array(9).fill(CP), 'worker'), '! 8:3 many-etcd-members spec.hosts'],
    ['no worker', withRoles(CP, CP, CP), '! 8:3 no-worker spec.hosts'],
    ['two etcd hosts', withRoles('etcd', 'etcd', CP, CP, 'worker'), '8:3 even-etcd-members spec.hosts', 'even'],
    ['one etcd host', withRoles('etcd', CP, CP, 'worker'), '! 8:3 single-etcd-member spec.hosts'],
    [
      'one control plane before external etcd',
      withRoles('etcd', 'etcd', 'etcd', CP, 'worker'),
      '! 8:3 single-control-plane spec.hosts',
    ],
    [
      'an etcd host when stacked',
      `${withRoles(CP, CP, CP, 'etcd', 'worker')}  etcd: { topology: stacked }\n`,
      '12:46 etcd-role-when-stacked spec.hosts[3].role',
      '(line 14)',
    ],
    ['external without etcd hosts', `${BASE}  etcd: { topology: external }\n`, '21:21 no-etcd-host spec.etcd.topology'],
  ];
  it.each(cases)('%s', (...one) => expectOnly(one));

  it('takes two control planes when etcd is external', () => {
    expect(problemsOf(withRoles('etcd', 'etcd', 'etcd', CP, CP, 'worker'))).toEqual([]);
  });

  it('takes no worker when a control plane has no taint', () => {
    expect(problemsOf(withRoles(CP, CP, `${CP}, taints: []`))).toEqual([]);
    expect(parse(withRoles(CP, CP, `${CP}, taints: []`)).hosts.map(({ taints }) => taints)).toEqual([null, null, []]);
  });

  it('takes a single host that does everything, and says what it lacks', () => {
    const [problem, ...more] = problemsOf(withRoles(`${CP}, taints: []`));
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ severity: 'warning', code: 'single-etcd-member', expected: 'three of them' });
  });

  it.each([5, 7])('takes %s members without a word, on control planes or on hosts of their own', (count) => {
    expect(problemsOf(withRoles(...Array(count).fill(CP), 'worker'))).toEqual([]);
    expect(problemsOf(withRoles(...Array(count).fill('etcd'), CP, CP, CP, 'worker'))).toEqual([]);
    expect(problemsOf(withRoles(...Array(count + 1).fill('etcd'), CP, CP, CP, 'worker')).map(brief)).toEqual([
      '8:3 even-etcd-members spec.hosts',
    ]);
  });

  it('does not count while a role is unknown', () => {
    expect(problemsOf(withRoles(CP, 'master', 'worker')).map(brief)).toEqual(['10:46 bad-value spec.hosts[1].role']);
  });
});

describe('labels and taints', () => {
  const on = (line: string) => edited(['role: worker', `role: worker\n      ${line}`]);
  const cases: Case[] = [
    [
      'a label of the kubelet',
      on('labels: { kubernetes.io/hostname: x }'),
      '21:17 own-label spec.hosts[3].labels["kubernetes.io/hostname"]',
    ],
    [
      'a reserved label',
      on('labels: { example.k8s.io/pool: x }'),
      '! 21:17 reserved-label spec.hosts[3].labels["example.k8s.io/pool"]',
    ],
    [
      'a taint twice',
      on('taints: [{ key: a, effect: NoSchedule }, { key: a, value: b, effect: NoSchedule }]'),
      '21:48 duplicate-taint spec.hosts[3].taints[1]',
    ],
  ];
  it.each(cases)('%s', (...one) => expectOnly(one));

  it('takes labels that are meant to be set from outside, and one key with two effects', () => {
    const labels =
      'labels: { topology.kubernetes.io/zone: a, node-role.kubernetes.io/worker: "", example.org/pool: db }';
    const taints = 'taints: [{ key: a, effect: NoSchedule }, { key: a, effect: NoExecute }]';
    expect(problemsOf(on(`${labels}\n      ${taints}`))).toEqual([]);
  });

  it('etcd hosts are no nodes', () => {
    const text = withRoles('etcd, labels: { a: b }, taints: []', 'etcd', 'etcd', CP, CP, 'worker');
    expect(problemsOf(text).map(brief)).toEqual([
      '9:52 etcd-host-is-no-node spec.hosts[0].labels',
      '9:70 etcd-host-is-no-node spec.hosts[0].taints',
    ]);
  });
});

describe('SSH', () => {
  const on = (line: string) => edited(['role: worker', `role: worker\n      ssh: ${line}`]);
  const cases: Case[] = [
    ['the way of another host', on('{ address: 10.88.0.11 }'), '21:12 duplicate-ssh spec.hosts[3].ssh', 'cp-1'],
    [
      'two ways to say which key',
      on('{ keyFile: a, keyFiles: [b] }'),
      '21:14 key-file-twice spec.hosts[3].ssh.keyFile',
    ],
    [
      'two ways to say which key of a bastion',
      on('{ bastion: { address: b, keyFile: a, keyFiles: [b] } }'),
      '21:37 key-file-twice spec.hosts[3].ssh.bastion.keyFile',
    ],
    ['nothing to log in with', on('{ agent: false, configFile: null }'), '21:12 no-login spec.hosts[3].ssh'],
    ['itself as bastion', on('{ bastion: { address: 10.88.0.21 } }'), '21:23 own-bastion spec.hosts[3].ssh.bastion'],
  ];
  it.each(cases)('%s is refused', (...one) => expectOnly(one));

  it('one address with different ports is fine, and so is one address behind two bastions', () => {
    const forwarded = edited(
      ['name: cp-1', 'name: cp-1\n      ssh: { address: gw, port: 1 }'],
      ['name: w-1', 'name: w-1\n      ssh: { address: gw, port: 2 }'],
    );
    expect(problemsOf(forwarded)).toEqual([]);
    const behind = (bastion: string) => `ssh: { address: 192.168.0.9, bastion: { address: ${bastion} } }`;
    expect(
      problemsOf(
        edited(['name: cp-1', `name: cp-1\n      ${behind('a')}`], ['name: w-1', `name: w-1\n      ${behind('b')}`]),
      ),
    ).toEqual([]);
  });
});
