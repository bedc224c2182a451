import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deliverFiles } from '../../../../src/activities/control-plane-files/deliverFiles.js';
import { lookAtFiles } from '../../../../src/activities/control-plane-files/look.js';
import { fileProblems } from '../../../../src/activities/control-plane-files/problems.js';
import { ownerOf } from '../../../../src/activities/prepare/ownership.js';
import type { Cluster, ClusterHost } from '../../../../src/cluster/types.js';
import { redact } from '../../../../src/hosts/redact.js';
import { planInstall } from '../../../../src/plan/install.js';
import { OWNER_PATH, renderOwner } from '../../../../src/render/owner.js';
import { clusterOf } from '../../cluster-fixture.js';
import { BashHosts } from '../bash-hosts.js';

const SECRET = 'the-signing-key-of-a-webhook-that-nobody-may-see';
const PUBLIC = '/etc/kubernetes/oidc/ca.pem';
const HIDDEN = '/etc/kubernetes/webhook/token';

function withFiles(): Cluster {
  const cluster = clusterOf({ controlPlanes: 2, workers: 1 });
  cluster.kubernetes.files = [
    { path: PUBLIC, content: 'a certificate\n', env: null },
    { path: HIDDEN, content: null, env: 'WEBHOOK_TOKEN' },
  ];
  return cluster;
}

let hosts: BashHosts;
const cluster = withFiles();
const context = (host = 'cp-1') => hosts.context('deliverFiles', host, new AbortController().signal);

beforeEach(() => {
  hosts = new BashHosts(cluster);
  process.env.WEBHOOK_TOKEN = SECRET;
});
afterEach(() => {
  hosts.remove();
  delete process.env.WEBHOOK_TOKEN;
});

/** The host as a member: an init or a join of it has ended well. */
function member(name: string): void {
  const host = cluster.hosts.find((each) => each.name === name) as ClusterHost;
  hosts.write(name, OWNER_PATH, renderOwner(ownerOf(cluster, host, `sha256:${'a'.repeat(64)}`)));
}

/** As the real `writeFile` leaves it, which the fake one does not. */
function rootsAlone(...paths: string[]): void {
  for (const path of paths) chmodSync(join(hosts.root, 'cp-1', path), 0o600);
}

describe('files that flags refer to', () => {
  it('come to a bare control plane, secrets out of the environment, and are looked for by digest', async () => {
    expect((await deliverFiles.probe(context())).changes).toEqual([`write ${PUBLIC}`, `write ${HIDDEN}`]);
    await deliverFiles.apply(context(), { done: false, found: '', changes: [] });
    expect(hosts.read('cp-1', PUBLIC)).toBe('a certificate\n');
    expect(hosts.read('cp-1', HIDDEN)).toBe(SECRET);
    rootsAlone(PUBLIC, HIDDEN);
    expect(await deliverFiles.probe(context())).toMatchObject({ done: true, changes: [] });
  });

  it('are put right where others could read them', async () => {
    await deliverFiles.apply(context(), { done: false, found: '', changes: [] });
    rootsAlone(PUBLIC, HIDDEN);
    chmodSync(join(hosts.root, 'cp-1', HIDDEN), 0o644);
    expect(await deliverFiles.probe(context())).toMatchObject({ done: false, changes: [`write ${HIDDEN}`] });
  });

  it('that are gone come back to a living control plane', async () => {
    member('cp-1');
    hosts.write('cp-1', PUBLIC, 'a certificate\n');
    await deliverFiles.apply(context(), { done: false, found: '', changes: [] });
    expect(hosts.read('cp-1', HIDDEN)).toBe(SECRET);
  });

  it('with another content stay as they are under a living control plane, and that is told before the first change', async () => {
    member('cp-1');
    hosts.write('cp-1', PUBLIC, 'another certificate\n');
    hosts.write('cp-1', HIDDEN, 'another token');
    const [problem] = await fileProblems(context());
    expect(problem).toMatchObject({ code: 'KW381' });
    expect(problem?.what).toContain(`${PUBLIC} and ${HIDDEN}`);
    await expect(deliverFiles.apply(context(), { done: false, found: '', changes: [] })).rejects.toMatchObject({
      code: 'KW381',
      host: 'cp-1',
    });
    expect(hosts.read('cp-1', PUBLIC)).toBe('another certificate\n');
  });

  it('are replaced on a host where no cluster has come up yet', async () => {
    hosts.write('cp-1', PUBLIC, 'what an earlier try had');
    expect(await fileProblems(context())).toEqual([]);
    await deliverFiles.apply(context(), { done: false, found: '', changes: [] });
    expect(hosts.read('cp-1', PUBLIC)).toBe('a certificate\n');
  });

  it('lack a variable: that is told with its name, and nothing is written', async () => {
    process.env.WEBHOOK_TOKEN = '';
    expect(await fileProblems(context())).toMatchObject([{ code: 'KW380' }]);
    const failed = deliverFiles.apply(context(), { done: false, found: '', changes: [] });
    await expect(failed).rejects.toMatchObject({ code: 'KW380', message: expect.stringContaining('WEBHOOK_TOKEN') });
    expect(hosts.read('cp-1', PUBLIC)).toBeUndefined();
  });

  it('are known to the redactor once they were read', async () => {
    await lookAtFiles(context());
    expect(redact(`a program prints ${SECRET}`)).not.toContain(SECRET);
  });

  it('are nothing to workers', async () => {
    expect(await fileProblems(context('w-1'))).toEqual([]);
  });
});

describe('the plan', () => {
  it('delivers them before each control plane comes up, and has no such step without them', () => {
    const steps = planInstall(cluster);
    expect(steps.filter(({ action }) => action === 'deliverFiles').map(({ id }) => id)).toEqual([
      'cp-1/files',
      'cp-2/files',
    ]);
    const needs = (id: string) => steps.find((step) => step.id === id)?.needs;
    expect(needs('cp-1/init')).toContain('cp-1/files');
    expect(needs('cp-2/join')).toContain('cp-2/files');
    expect(needs('w-1/join')?.some((need) => need.endsWith('/files'))).toBe(false);
    const plain = planInstall(clusterOf({ controlPlanes: 2, workers: 1 }));
    expect(plain.some(({ action }) => action === 'deliverFiles')).toBe(false);
    // No secret in what becomes the input of a workflow.
    expect(JSON.stringify({ cluster, steps })).not.toContain(SECRET);
  });
});
