import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkReset } from '../../../../src/activities/reset/checkReset.js';
import { drainNode } from '../../../../src/activities/reset/drainNode.js';
import { forgetHost } from '../../../../src/activities/reset/forgetHost.js';
import { removeEtcdMember } from '../../../../src/activities/reset/removeEtcdMember.js';
import { removeNode } from '../../../../src/activities/reset/removeNode.js';
import { uncordonNode } from '../../../../src/activities/reset/uncordonNode.js';
import type { Action } from '../../../../src/plan/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { CA, Leaving } from './leaving.js';

let living: Leaving;
beforeEach(() => {
  living = new Leaving();
});
afterEach(() => living.hosts.remove());

const check = (host: string) => living.carry(checkReset, 'checkReset', host, { ofCluster: true });
const leave = (host: string, away: string[] = []) =>
  living.carry(removeEtcdMember, 'removeEtcdMember' as Action, host, { away });

describe('one host may leave', () => {
  it.each(['cp-2', 'w-1'])('where it is of the cluster, and that goes on without %s', async (host) => {
    expect((await check(host)).data).toEqual({ away: [], ca: CA, caOf: expect.any(String) });
  });

  it('not where those that stay are no quorum', async () => {
    living.shared('ill', 'https://10.88.0.11:2379\n');
    await expect(check('cp-2')).rejects.toMatchObject({
      code: 'KW395',
      message: expect.stringContaining('only 1 are healthy, and 2 are needed'),
    });
  });

  it('not where it bears another authority than the others know, though it is the first of the file', async () => {
    const record = living.hosts.read('cp-1', '/etc/kubewright/owner.json') ?? '';
    living.hosts.write('cp-1', '/etc/kubewright/owner.json', record.replace(CA, 'sha256:bb'));
    await expect(check('cp-1')).rejects.toMatchObject({
      code: 'KW393',
      message: expect.stringContaining('cp-1 is another cluster'),
    });
  });

  it.each([
    ['cp-1', clusterOf({ controlPlanes: 1, workers: 1 }), 'KW395', 'the only control plane'],
    ['etcd-1', clusterOf({ controlPlanes: 2, workers: 0, etcd: 1 }), 'KW395', 'the only member of etcd'],
    ['etcd-1', clusterOf({ controlPlanes: 2, workers: 0, etcd: 3 }), 'KW397', 'the key of the authority of etcd'],
  ])('not where nothing can take its place: %s', async (host, cluster, code, why) => {
    living.hosts.remove();
    living = new Leaving(cluster);
    await expect(check(host)).rejects.toMatchObject({ code, message: expect.stringContaining(why) });
  });

  it('not where it has the last vote', async () => {
    living.shared('members', '2a, started, cp-2, https://10.88.0.12:2380, https://10.88.0.12:2379, false\n');
    await expect(check('cp-2')).rejects.toMatchObject({ code: 'KW395', message: expect.stringContaining('last vote') });
  });

  it('not where etcd does not tell: silence is no "no"', async () => {
    for (const name of ['cp-1', 'cp-3']) living.shared(`silent-${name}`);
    await expect(check('cp-2')).rejects.toMatchObject({ code: 'KW396' });
  });

  it('not where no other control plane tells whether it is a node', async () => {
    for (const name of ['cp-1', 'cp-2', 'cp-3']) living.shared(`down-${name}`);
    await expect(check('w-1')).rejects.toMatchObject({ code: 'KW396' });
  });

  it('not where it is blank, and the cluster knows nothing of it', async () => {
    living.blank('w-1');
    expect((await check('w-1')).data).toEqual({ away: [], ca: CA, caOf: expect.any(String) });
    living.take('.', 'node-w-1');
    await expect(check('w-1')).rejects.toMatchObject({ code: 'KW394' });
  });
});

describe('its vote in etcd', () => {
  it('is given up by its id, asked of another voter, when a leader has handed over', async () => {
    expect((await leave('cp-2')).outcome).toBe('changed');
    expect(living.members).toEqual(['1a', '3a']);
    const calls = living.hosts
      .shared('journal')
      .split('\n')
      .filter((line) => /move-leader|member remove/.test(line));
    expect(calls).toEqual([
      expect.stringMatching(/10\.88\.0\.12:2379.* move-leader 1a$/),
      expect.stringMatching(/127\.0\.0\.1:2379.* member remove 2a$/),
    ]);
  });

  it('stays while those that stay are no quorum, also where that was otherwise a moment ago', async () => {
    living.shared('ill', 'https://10.88.0.13:2379\n');
    await expect(leave('cp-2')).rejects.toMatchObject({ code: 'KW403' });
    expect(living.members).toEqual(['1a', '2a', '3a']);
    expect(living.hosts.shared('journal')).not.toContain('member remove');
  });

  it('is taken from a host that cannot be reached', async () => {
    living.hosts.away.add('cp-2');
    await leave('cp-2', ['cp-2']);
    expect(living.members).toEqual(['1a', '3a']);
  });

  it('is gone already when the step is tried again', async () => {
    await leave('cp-2');
    expect((await leave('cp-2')).outcome).toBe('unchanged');
  });
});

describe('its pods', () => {
  const drain = (away: string[] = []) => living.carry(drainNode, 'drainNode', 'w-1', { away });

  it('are moved, but for those that belong to the host', async () => {
    living.shared(
      'pods',
      'ReplicaSet Running default/web\nDaemonSet Running kube-system/proxy\nNode Running kube-system/etcd\nJob Succeeded default/done\n',
    );
    expect((await drain()).outcome).toBe('changed');
    expect(living.hosts.shared('journal')).toMatch(
      / drain w-1 --ignore-daemonsets --delete-emptydir-data --timeout=600s/,
    );
  });

  it('may come again where the reset is given up behind the drain', async () => {
    await drain();
    expect(living.has('cordoned')).toBe(true);
    expect((await living.carry(uncordonNode, 'uncordonNode', 'w-1')).outcome).toBe('changed');
    expect([living.has('cordoned'), living.has('marked')]).toEqual([false, false]);
    expect((await living.carry(uncordonNode, 'uncordonNode', 'w-1')).outcome).toBe('unchanged');
  });

  it('stay away from a node that a person had cordoned before', async () => {
    living.shared('cordoned');
    living.shared('pods', 'ReplicaSet Running default/web\n');
    await drain();
    expect((await living.carry(uncordonNode, 'uncordonNode', 'w-1')).outcome).toBe('unchanged');
    expect(living.has('cordoned')).toBe(true);
  });

  it('stay where a budget of disruptions allows none to go, and that is said with the way out', async () => {
    living.shared('pods', 'ReplicaSet Running default/web\n');
    living.shared('budget');
    await expect(drain()).rejects.toMatchObject({
      code: 'KW402',
      hint: expect.stringContaining('--host w-1 --no-drain'),
    });
  });

  it('are not asked for on a host that cannot be reached', async () => {
    expect((await drain(['w-1'])).outcome).toBe('unchanged');
    expect(living.hosts.shared('journal')).toBe('');
  });
});

describe('its node', () => {
  const remove = (away: string[] = []) => living.carry(removeNode, 'removeNode', 'w-1', { away });

  it('is deleted, exactly the one that was looked at, when its kubelet is gone', async () => {
    living.shared('node-w-1', 'Unknown');
    expect((await remove()).outcome).toBe('changed');
    expect(living.has('node-w-1')).toBe(false);
  });

  it('is waited for, and not deleted, while a kubelet keeps it Ready', async () => {
    await expect(remove(['w-1'])).rejects.toThrow();
    expect(living.has('node-w-1')).toBe(true);
    expect(living.hosts.shared('journal')).not.toContain('delete');
  });
});

describe('its record', () => {
  const forget = () => living.carry(forgetHost, 'forgetHost', 'w-1');
  const undone = () => living.take('w-1', '/etc/kubernetes/kubelet.conf');

  it('stays where a person has left the reset of the host out', async () => {
    const { outcome, data } = await forget();
    expect(outcome).toBe('unchanged');
    expect(data?.leftToDo).toMatch(/^give w-1 back, or wipe it/);
    expect(living.hosts.read('w-1', '/etc/kubewright/owner.json')).toContain('demo');
  });

  it('goes last, and of Kubewright only the lease stays', async () => {
    undone();
    // Brought by the host's owner, and given back to them: no sign of a node.
    living.hosts.write('w-1', '/etc/kubernetes/pki/ca.crt', 'x');
    for (const path of ['lease', 'lease.lock', 'files/x', 'units/y/z'])
      living.hosts.write('w-1', `/var/lib/kubewright/${path}`, 'x');
    expect((await forget()).summary).toBe('it bears no record of a cluster');
    expect(living.hosts.read('w-1', '/etc/kubewright/owner.json')).toBeUndefined();
    expect(living.hosts.read('w-1', '/var/lib/kubewright/files/x')).toBeUndefined();
    expect(living.hosts.read('w-1', '/var/lib/kubewright/before/state')).toBeUndefined();
    expect(living.hosts.read('w-1', '/var/lib/kubewright/lease')).toBe('x');
  });

  it('stays on a host that is another cluster’s by then', async () => {
    undone();
    living.hosts.write('w-1', '/etc/kubewright/owner.json', '{\n  "cluster": "other"\n}\n');
    await expect(forget()).rejects.toThrow();
    expect(living.hosts.read('w-1', '/etc/kubewright/owner.json')).toContain('other');
  });
});
