import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadCluster } from '../../../src/cluster/load.js';
import { deliveredFiles } from '../../../src/render/control-plane-files.js';
import { renderInitConfig } from '../../../src/render/kubeadm.js';
import { expectGolden } from './golden.js';

const { cluster } = await loadCluster(join(import.meta.dirname, '../../../examples/clusters/hardened.yaml'));
const [first] = cluster.hosts;
if (first === undefined) throw new Error('the example has no host');
const files = new Map(deliveredFiles(cluster).map((file) => [file.path, 'content' in file ? file.content : '']));
const fileAt = (name: string) => files.get(`/etc/kubernetes/kube-apiserver/${name}`) ?? '';

interface Rule {
  level: string;
  users?: string[];
  userGroups?: string[];
  verbs?: string[];
  resources?: { group: string; resources: string[] }[];
  nonResourceURLs?: string[];
}

describe('the hardened example', () => {
  it('is rendered for kubeadm', () => expectGolden('init-hardened.yaml', renderInitConfig(cluster, first)));

  it('brings three files to the API servers, none with the key', () => {
    expect([...files.keys()].map((path) => path.split('/').at(-1))).toEqual([
      'admission.yaml',
      'audit-policy.yaml',
      'authentication.yaml',
    ]);
    expectGolden('authentication.yaml', fileAt('authentication.yaml'));
    expectGolden('admission.yaml', fileAt('admission.yaml'));
    expectGolden('audit-policy.yaml', fileAt('audit-policy.yaml'));
  });

  it('lets nobody in without a login but health checks', () => {
    expect(parse(fileAt('authentication.yaml')).anonymous).toEqual({
      enabled: true,
      conditions: [{ path: '/livez' }, { path: '/readyz' }, { path: '/healthz' }],
    });
  });
});

describe("Kubewright's audit policy", () => {
  const { rules } = parse(fileAt('audit-policy.yaml')) as { rules: Rule[] };
  /** As the API server does: the first rule that fits counts. */
  const levelOf = (request: {
    user?: string;
    groups?: string[];
    verb: string;
    resource: string;
    group?: string;
  }): string => {
    const fits = (rule: Rule) =>
      (rule.users === undefined || rule.users.includes(request.user ?? '')) &&
      (rule.userGroups === undefined || rule.userGroups.some((group) => request.groups?.includes(group))) &&
      (rule.verbs === undefined || rule.verbs.includes(request.verb)) &&
      rule.nonResourceURLs === undefined &&
      (rule.resources === undefined ||
        rule.resources.some(
          ({ group, resources }) => group === (request.group ?? '') && resources.includes(request.resource),
        ));
    return rules.find(fits)?.level ?? 'None';
  };

  it.each(['secrets', 'configmaps', 'serviceaccounts/token'])(
    'logs who touched %s, and never what is in it',
    (resource) => {
      for (const verb of ['get', 'list', 'create', 'update', 'patch', 'delete'])
        expect(levelOf({ verb, resource })).toBe('Metadata');
    },
  );

  it('logs ways into containers, changes with what was asked for, and reading', () => {
    expect(levelOf({ verb: 'create', resource: 'pods/exec' })).toBe('Metadata');
    expect(levelOf({ verb: 'get', resource: 'nodes/proxy' })).toBe('Metadata');
    expect(levelOf({ verb: 'create', resource: 'pods' })).toBe('Request');
    expect(levelOf({ verb: 'patch', resource: 'clusterroles', group: 'rbac.authorization.k8s.io' })).toBe('Request');
    expect(levelOf({ verb: 'list', resource: 'pods' })).toBe('Metadata');
    expect(levelOf({ verb: 'create', resource: 'tokenreviews', group: 'authentication.k8s.io' })).toBe('Metadata');
  });

  it('leaves out what components do many times a second, and nothing that a person does', () => {
    const lease = { verb: 'update', resource: 'leases', group: 'coordination.k8s.io' };
    expect(levelOf({ ...lease, groups: ['system:nodes'] })).toBe('None');
    expect(levelOf({ ...lease, user: 'kubernetes-admin' })).toBe('Request');
    expect(levelOf({ verb: 'patch', resource: 'nodes/status', groups: ['system:nodes'] })).toBe('None');
    expect(levelOf({ verb: 'patch', resource: 'nodes/status', groups: ['kubeadm:cluster-admins'] })).toBe('Request');
  });
});
