import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseCluster } from '../../../src/cluster/load.js';
import { isClusterFileError } from '../../../src/cluster/problem.js';
import { isKubewrightError } from '../../../src/errors.js';
import { settle } from '../../../src/first-steps/settle.js';
import { readSource } from '../../../src/first-steps/sources/index.js';

const CANARY = 'canary-of-a-password';

const address = fc.oneof(
  fc.ipV4(),
  fc.tuple(fc.nat(5), fc.nat(255)).map(([net, end]) => `10.${[0, 96, 244, 1, 2, 3][net]}.0.${end}`),
  fc.domain(),
  fc.string(),
);
const name = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_.-]{1,70}$/),
  fc.constantFrom('localhost', 'cluster', 'node[1:3]', 'null', 'true', '10.0.0.9', 'Ärger', 'a b', '1e5'),
);
const value = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant('{{ x }}'),
  fc.constant('"}, a: {'),
);
const vars = fc.record(
  {
    ansible_host: address,
    ip: address,
    ansible_user: fc.oneof(fc.constantFrom('root', 'ubuntu', 'ops@example.org'), value),
    ansible_port: fc.oneof(fc.integer({ min: -1, max: 70_000 }), value),
    ansible_ssh_private_key_file: fc.oneof(fc.constantFrom('~/.ssh/id', 'keys/a b', '~'), value),
    ansible_password: fc.constant(CANARY),
    kube_version: fc.oneof(fc.constantFrom('v1.37.2', '1.28.1', 1.37), value),
    kube_pods_subnet: fc.oneof(fc.constantFrom('10.244.0.0/16', '10.0.0.0/8', '10.0.0.1/24'), value),
    kube_service_addresses: fc.oneof(fc.constantFrom('10.96.0.0/12', '10.244.0.0/16'), value),
    kube_vip_address: address,
    dns_domain: value,
    loadbalancer_apiserver: fc.oneof(fc.record({ address, port: value }), value),
    node_labels: fc.oneof(fc.dictionary(fc.string(), value), value),
    node_taints: fc.oneof(fc.array(fc.oneof(fc.constantFrom('a=b:NoSchedule', 'gpu:NoExecute'), value)), value),
    supplementary_addresses_in_ssl_keys: fc.oneof(fc.array(fc.oneof(fc.constant('api.example.org'), value)), value),
    other: value,
  },
  { requiredKeys: [] },
);
const group = fc.record(
  {
    hosts: fc.dictionary(name, fc.oneof(vars, fc.constant(null)), { maxKeys: 6 }),
    vars,
    children: fc.constant({ etcd: {} }),
  },
  { requiredKeys: [] },
);
const inventory = fc.record(
  { all: group, kube_control_plane: group, kube_node: group, etcd: group, bastion: group },
  { requiredKeys: ['all', 'kube_control_plane'] },
);

/** What only a person can decide; everything else the file has right. */
const OPEN = new Set([
  'etcd-elsewhere spec.hosts',
  'missing spec.endpoint',
  'no-value spec.endpoint',
  'even-etcd-members spec.hosts',
]);

function checkFile(text: string): void {
  let draft: ReturnType<typeof readSource>;
  try {
    draft = readSource(text, 'inventory');
  } catch (error) {
    if (!isKubewrightError(error)) throw error;
    expect(error.code).toMatch(/^KW11[123]$/);
    return;
  }
  const settled = settle(draft, '/nowhere');
  expect(settled.text).not.toContain(CANARY);
  expect(JSON.stringify(settled.draft)).not.toContain(CANARY);
  const codes = settled.problems.map(({ code, path }) => `${code} ${path}`);
  // An sshd at a port of Kubernetes is moved on its host, not in the file.
  const open = codes.filter(
    (each) => !OPEN.has(each) && !/^(missing spec\.hosts\[\d+\]\.address|port-collides \S+\.port)$/.test(each),
  );
  expect(open, settled.text).toEqual([]);
  try {
    expect(parseCluster(settled.text, { path: 'x', directory: '/nowhere' }).cluster.hosts).toHaveLength(
      draft.hosts.length,
    );
    expect(codes.filter((each) => each !== 'etcd-elsewhere spec.hosts')).toEqual([]);
  } catch (error) {
    if (!isClusterFileError(error)) throw error;
    expect(codes.length).toBeGreaterThan(0);
  }
}

it('any inventory becomes a file that loads, or that names what a person has to fill in', () => {
  fc.assert(
    fc.property(inventory, (file) => checkFile(JSON.stringify(file))),
    { numRuns: 150 },
  );
}, 120_000);

it('so does any text with sections in it', () => {
  const word = fc.oneof(
    fc.string(),
    name,
    fc.constantFrom('ansible_host=10.0.0.1', "a='b", 'ansible_user=x y', `ansible_password=${CANARY}`),
  );
  const line = fc.oneof(
    fc.constantFrom('[masters]', '[workers]', '[masters:vars]', '[etcd:children]', '[all:vars]', '[', '[]', '[x:y]'),
    fc.array(word, { maxLength: 4 }).map((words) => words.join(' ')),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => checkFile(`[masters]\n${lines.join('\n')}`)),
    { numRuns: 150 },
  );
}, 120_000);
