import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectRecorded } from './support/applied-record.js';
import { expectBalancerFaultFound } from './support/balancer-faults.js';
import { expectScheduledChecks } from './support/health.js';
import { expectFaultsFound } from './support/health-faults.js';
import { expectSnapshotsWatched } from './support/health-snapshots.js';
import { Installed } from './support/installed.js';
import { expectKubeadmTestsPass, kubeadmTests } from './support/kubeadm-tests.js';
import { expectNamesAskedFor } from './support/outside-names.js';
import { expectTunnelFaultsFound } from './support/pod-network-faults.js';
import { expectOutlivesBlackout, expectPostConditions, expectSurvivesAnyHost } from './support/post-conditions.js';
import { expectStatusTells } from './support/status.js';

const HOSTS = ['cp-1', 'cp-2', 'cp-3', 'w-1', 'w-2'];

/** Each reaches the machine and the other hosts, and nothing else: the bundle alone has to do. */
const WITHOUT_MIRROR = Object.fromEntries(HOSTS.map((name) => [name, ['no-mirror' as const]]));

describe('an install with stacked etcd on five fresh hosts that reach no mirror', () => {
  let cluster: Installed;

  beforeAll(async () => {
    await kubeadmTests();
    cluster = await Installed.up('stacked', 'stacked', { kinds: WITHOUT_MIRROR });
    await cluster.install();
    await cluster.fetchKubeconfig();
  });
  afterAll(async () => {
    await cluster?.down();
  });

  expectPostConditions(() => cluster);
  expectRecorded(() => cluster);
  expectKubeadmTestsPass(() => cluster);

  test('installing again changes nothing, also when the state directory is gone', async () => {
    const before = await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)));
    await cluster.install();
    const blank = await mkdtemp(join(tmpdir(), 'kubewright-blank-'));
    try {
      const again = await cluster.install({ state: blank });
      expect(again.all).toMatch(/nothing (was|had|is|to)|0 of them changed|unchanged/);
    } finally {
      await rm(blank, { recursive: true, force: true });
    }
    const after = await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)));
    expect(after).toEqual(before);
  });

  expectStatusTells(() => cluster);
  expectScheduledChecks(() => cluster);
  expectSnapshotsWatched(() => cluster);
  expectFaultsFound(() => cluster);
  expectTunnelFaultsFound(() => cluster);
  expectBalancerFaultFound(() => cluster);
  expectNamesAskedFor(() => cluster);
  expectSurvivesAnyHost(() => cluster, HOSTS);
  expectOutlivesBlackout(() => cluster);
});
