import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabHost } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import { expectRecorded } from './support/applied-record.js';
import { expectGivenBack, type HostStates, statesOf } from './support/given-back.js';
import { Installed, withSpec } from './support/installed.js';
import { expectOutlivesBlackout, expectPostConditions, expectSurvivesAnyHost } from './support/post-conditions.js';

const HOSTS = ['cp-1', 'cp-2', 'cp-3', 'w-1', 'w-2'];
const PROGRAMS = ['haproxy', 'keepalived'];

/** As the write-up has it, but for a balancer on every control plane. */
const SPEC = {
  loadBalancer: { type: 'static-pods' },
  endpoint: { port: 6443 },
  kubernetes: { apiServer: { port: 8443 } },
};

describe('an install with HAProxy and keepalived as static pods on five fresh hosts', () => {
  let cluster: Installed;
  let hostsBefore: HostStates;

  beforeAll(async () => {
    cluster = await Installed.up('staticpods', 'stacked', { spec: SPEC });
    hostsBefore = await statesOf(cluster);
    const began = Date.now();
    await cluster.install();
    console.log(`install-static-pods: installed in ${Math.round((Date.now() - began) / 1000)} s`);
    await cluster.fetchKubeconfig();
  });
  afterAll(async () => {
    await cluster?.down();
  });

  expectPostConditions(() => cluster);
  expectRecorded(() => cluster);

  test('the VIP is at 6443, and the API servers have made room', () => {
    expect(cluster.ports).toEqual({ endpoint: 6443, apiServer: 8443 });
  });

  test.each(PROGRAMS)('%s is a ready static pod of every control plane, and no service of any', async (program) => {
    for (const { name } of cluster.controlPlanes()) {
      const pod = JSON.parse(
        await cluster.kubectl(['-n', 'kube-system', 'get', 'pod', `${program}-${name}`, '-o', 'json']),
      );
      expect(pod.metadata.annotations['kubernetes.io/config.source']).toBe('file');
      expect(pod.spec.priorityClassName).toBe('system-node-critical');
      const ready = pod.status.conditions.find(({ type }: { type: string }) => type === 'Ready');
      expect({ name, ready: ready.status }).toEqual({ name, ready: 'True' });
    }
    for (const host of cluster.controlPlanes()) {
      const { stdout } = await host.exec(`systemctl is-active ${program}.service || true`);
      expect(stdout).not.toBe('active');
    }
  });

  test('each of them leads to the API, whoever holds the VIP', async () => {
    for (const { address } of cluster.controlPlanes()) {
      expect(await cluster.kubectl(['--server', `https://${address}:6443`, 'get', '--raw', '/readyz'])).toBe('ok');
    }
  });

  test('installing again changes nothing', async () => {
    const before = await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)));
    await cluster.install();
    expect(await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)))).toEqual(before);
  });

  test('a kubelet that restarts leaves both alone, and the VIP where it is', async () => {
    const before = { processes: await processes(cluster.controlPlanes()), holders: await holders(cluster) };
    for (const host of cluster.controlPlanes()) {
      await host.exec('systemctl restart kubelet');
      expect(await until(async () => (await kubeletAnswers(host)) === true, 60_000)).toBe(true);
    }
    expect(await cluster.takesWrite('kubelets-restarted')).toBe(true);
    expect({ processes: await processes(cluster.controlPlanes()), holders: await holders(cluster) }).toEqual(before);
  });

  test('an edit restarts the pod that it concerns, on one control plane after the other, and not the other one', async () => {
    const before = await processes(cluster.controlPlanes());
    const path = join(cluster.lab.directory, 'edited.yaml');
    const text = await readFile(cluster.lab.files.clusterFile, 'utf8');
    await writeFile(path, withSpec(text, { endpoint: { advertIntervalMs: 300 } }));
    try {
      await cluster.kubewright(['install', path]);
    } finally {
      await rm(path, { force: true });
    }
    const after = await processes(cluster.controlPlanes());
    for (const [name, { haproxy, keepalived }] of Object.entries(after)) {
      expect({ name, haproxy }).toEqual({ name, haproxy: before[name]?.haproxy });
      expect(keepalived).not.toBe(before[name]?.keepalived);
    }
    await cluster.install();
  });

  test('HAProxy that ends on the holder is started again, and the API answers meanwhile', async () => {
    const [holder] = await cluster.vipHolders();
    const [pid] = Object.values(await processes(holder === undefined ? [] : [holder]));
    await holder?.exec(`kill -9 ${pid?.haproxy}`);
    expect(await cluster.takesWrite('haproxy-killed')).toBe(true);
    expect(
      await until(async () => {
        const [now] = Object.values(await processes(holder === undefined ? [] : [holder]));
        return now !== undefined && now.haproxy !== '' && now.haproxy !== pid?.haproxy;
      }, 120_000),
    ).toBe(true);
  });

  expectSurvivesAnyHost(() => cluster, HOSTS);
  expectOutlivesBlackout(() => cluster);
  expectGivenBack(() => ({ cluster, before: hostsBefore }));
});

/** Oldest process of each program, by host. */
async function processes(hosts: LabHost[]): Promise<Record<string, { haproxy: string; keepalived: string }>> {
  const found = hosts.map(async (host) => {
    const { stdout } = await host.exec(`for name in ${PROGRAMS.join(' ')}; do pgrep -o -x "$name" || echo; done`);
    const [haproxy = '', keepalived = ''] = stdout.split('\n');
    return [host.name, { haproxy, keepalived }] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

async function holders(cluster: Installed): Promise<string[]> {
  return (await cluster.vipHolders()).map(({ name }) => name);
}

async function kubeletAnswers(host: LabHost): Promise<boolean> {
  const asked = await host.exec('exec 3<>/dev/tcp/127.0.0.1/10248', { allowFailure: true });
  return asked.exitCode === 0;
}
