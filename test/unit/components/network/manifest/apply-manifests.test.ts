import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { carryOut } from '../../../../../src/activities/step.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import { applyManifests } from '../../../../../src/components/network/manifest/steps/applyManifests.js';
import { BashHosts } from '../../../activities/bash-hosts.js';
import { clusterOf } from '../../../cluster-fixture.js';

const FAKE = join(import.meta.dirname, 'fake-kubectl.mjs');

const NAMESPACE = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: mesh }\n';
const POOL = 'apiVersion: crd.example.org/v1\nkind: IPPool\nmetadata: { name: all }\n';
const KIND = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: ippools.crd.example.org }
spec: { group: crd.example.org, names: { kind: IPPool } }
`;
const ROLE = 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: mesh }\n';
const AGENT =
  'apiVersion: apps/v1\nkind: DaemonSet\nmetadata: { name: agent, namespace: mesh }\n# as upstream has it\n';
/** What needs another one stands before it: the order of a file must not matter for that. */
const ALL = [AGENT, POOL, ROLE, KIND, NAMESPACE];
const FILES = [
  'clusterrole.rbac.authorization.k8s.io__mesh',
  'configmap_kube-system_kubewright-network',
  'customresourcedefinition.apiextensions.k8s.io__ippools.crd.example.org',
  'daemonset.apps_mesh_agent',
  'ippool.crd.example.org__all',
  'namespace__mesh',
];

let hosts: BashHosts;
beforeEach(() => {
  hosts = new BashHosts(clusterOf({ controlPlanes: 1, workers: 0 }));
  hosts.program('kubectl', `exec ${process.execPath} ${FAKE} "$SHARED" "$@"`);
  hosts.write('cp-1', 'etc/kubernetes/admin.conf');
  mkdirSync(join(hosts.root, 'objects'));
});
afterEach(() => hosts.remove());

function clusterWith(...documents: string[]): Cluster {
  const content = documents.join('---\n');
  return clusterOf(
    { controlPlanes: 1, workers: 0 },
    { network: { plugin: 'manifest', manifests: [{ from: 'mesh.yaml', sha256: '', content }] } },
  );
}

const contextOf = (cluster: Cluster) =>
  hosts.context('applyManifests', null, new AbortController().signal, undefined, {
    input: { cluster, wholeCluster: cluster },
  });
const apply = (...documents: string[]) => carryOut(applyManifests, contextOf(clusterWith(...documents)));
const objects = () => readdirSync(join(hosts.root, 'objects')).sort();
const applied = () =>
  hosts
    .shared('kubectl.log')
    .split('\n')
    .filter((line) => line.includes(' apply ')).length;

/** An object of somebody else's. */
function others(file: string, object: object): void {
  writeFileSync(join(hosts.root, 'objects', file), JSON.stringify({ object, managers: ['helm'] }));
}

// Each call of kubectl starts a program.
describe('manifests of a pod network', { timeout: 60_000 }, () => {
  it('are applied whole, whatever their order, once', async () => {
    expect(await apply(...ALL)).toMatchObject({ outcome: 'changed' });
    expect(objects()).toEqual(FILES);
    const before = applied();
    expect(await apply(...ALL)).toMatchObject({ outcome: 'unchanged' });
    expect(applied()).toBe(before);
    expect(hosts.shared('kubectl.log')).toContain('apply --server-side --force-conflicts --field-manager=kubewright');
  });

  it('are applied again where one has changed, or where an object of them was deleted', async () => {
    await apply(...ALL);
    const { changes } = await applyManifests.probe(
      contextOf(clusterWith(...ALL, '# a word of ours\n', ROLE.replace('mesh', 'm2'))),
    );
    expect(changes).toEqual(['apply ClusterRole m2']);
    rmSync(join(hosts.root, 'objects', 'daemonset.apps_mesh_agent'));
    expect((await applyManifests.probe(contextOf(clusterWith(...ALL)))).changes).toEqual([
      'apply DaemonSet mesh/agent',
    ]);
    expect(await apply(...ALL)).toMatchObject({ outcome: 'changed' });
    const edited = AGENT.replace('upstream', 'we');
    expect((await applyManifests.probe(contextOf(clusterWith(edited, ...ALL.slice(1))))).changes).toEqual([
      'apply the manifests, which have changed',
    ]);
  });

  it('are applied again where a kind of theirs was deleted with all its objects', async () => {
    await apply(...ALL);
    for (const file of FILES.filter((name) => /ippool/.test(name))) rmSync(join(hosts.root, 'objects', file));
    expect(await apply(...ALL)).toMatchObject({ outcome: 'changed' });
    expect(objects()).toEqual(FILES);
  });

  it('lose what is taken out of them, but for what holds the objects of others', async () => {
    await apply(...ALL);
    const { changes } = await applyManifests.probe(contextOf(clusterWith(ROLE)));
    expect(changes).toContain('delete DaemonSet mesh/agent');
    expect(changes).toContain('leave, although it was taken out, Namespace mesh');
    await apply(ROLE);
    expect(objects()).toEqual(FILES.filter((name) => !/daemonset|ippool\.crd/.test(name)));
    expect(await apply(ROLE)).toMatchObject({ outcome: 'unchanged' });
  });

  it('never lose what was there before they were applied', async () => {
    others('clusterrole.rbac.authorization.k8s.io__mesh', { kind: 'ClusterRole', metadata: { name: 'mesh' } });
    await apply(...ALL);
    await apply(...ALL.filter((each) => each !== ROLE));
    expect(objects()).toEqual(FILES);
  });

  it('never lose what others have made anew meanwhile', async () => {
    await apply(...ALL);
    others('daemonset.apps_mesh_agent', { kind: 'DaemonSet', metadata: { name: 'agent', namespace: 'mesh' } });
    await apply(...ALL.filter((each) => each !== AGENT));
    expect(objects()).toContain('daemonset.apps_mesh_agent');
  });

  it('are known to the next run, however far an interrupted one has come', async () => {
    writeFileSync(join(hosts.root, 'refuses-all'), '');
    await expect(apply(AGENT, ROLE, KIND, POOL, NAMESPACE)).rejects.toMatchObject({
      code: 'KW485',
      output: expect.stringContaining('all was refused'),
    });
    expect(objects()).toContain('daemonset.apps_mesh_agent');
    rmSync(join(hosts.root, 'refuses-all'));
    await apply(ROLE, KIND, NAMESPACE);
    expect(objects()).toEqual(FILES.filter((name) => !/daemonset|ippool\.crd/.test(name)));
  });

  it('are left alone while the API does not tell, and where the inventory cannot be read', async () => {
    await apply(...ALL);
    const before = applied();
    others('configmap_kube-system_kubewright-network', { data: { objects: 'x' } });
    await expect(apply(ROLE)).rejects.toMatchObject({ code: 'KW487' });
    writeFileSync(join(hosts.root, 'api-is-gone'), '');
    expect((await applyManifests.probe(contextOf(clusterWith(ROLE)))).done).toBe(false);
    expect(applied()).toBe(before);
    expect(objects()).toEqual(FILES);
  });
});
