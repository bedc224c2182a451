import { describe, expect, it } from 'vitest';
import { Facts, factsProgram } from '../../../../src/activities/remote-facts.js';
import { compareQuestions } from '../../../../src/activities/reset/compareHost.js';
import { differencesOf, explained } from '../../../../src/activities/reset/differences.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import { FSTAB_PATH } from '../../../../src/render/fstab.js';
import { clusterOf } from '../../cluster-fixture.js';
import { here, lay, output, remove, useOneHost } from '../check/host/one-host.js';
import { environment, keep, layHost, layNode, MOVED, undo } from './one-host-reset.js';

const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1 });
const HOST = CLUSTER.hosts[0] as ClusterHost;

useOneHost();

/** What differs from what was written down, and is explained by nothing; undefined where nothing was written down. */
async function open(): Promise<string[] | undefined> {
  const said = await output(`${environment()}${factsProgram(compareQuestions(CLUSTER, HOST))}`, MOVED);
  const facts = new Facts(said.replaceAll(here('/').replace(/\/$/, ''), ''));
  if (facts.text('before') !== 'there') return undefined;
  const all = differencesOf(facts.rows('appeared'), facts.rows('gone'));
  return all.filter((each) => explained(each, CLUSTER) === undefined).map(({ kind, name }) => `${kind} ${name}`);
}

describe('a host that was given back', () => {
  it('is as it was, when it was a node meanwhile and everything was undone', async () => {
    layHost();
    await keep(CLUSTER, HOST);
    layNode(CLUSTER.name);
    expect(await open()).toContain('link cni0');
    await undo(CLUSTER, HOST);
    // What the kernel and programs of a real host do by themselves when they are told.
    for (const card of ['cni0', 'flannel.1', 'docker0']) remove(`/var/machine-sys/class/net/${card}`);
    lay('/proc/swaps', 'Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n');
    lay('/etc/passwd', 'root:x:0:0::/root:/bin/sh\n');
    expect(await open()).toEqual([]);
  });

  it('is told to differ in what was not undone', async () => {
    layHost();
    await keep(CLUSTER, HOST);
    lay('/etc/haproxy/haproxy.cfg', 'of another\n');
    lay(FSTAB_PATH, '');
    lay('/proc/sys/net/ipv4/ip_forward', '1\n');
    lay('/var/machine-sys/class/net/cni0/address');
    lay('/proc/self/mountinfo', '22 1 8:1 / /mnt/x rw - ext4 /dev/sda1 rw\n');
    expect((await open())?.sort()).toEqual([
      'file /etc/fstab',
      'file /etc/haproxy/haproxy.cfg',
      'link cni0',
      'mount /',
      'mount /mnt/x',
      'sysctl net.ipv4.ip_forward',
    ]);
  });

  it('is compared with nothing where nothing was written down', async () => {
    layHost();
    expect(await open()).toBeUndefined();
  });
});
