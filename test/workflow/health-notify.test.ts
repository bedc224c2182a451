import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Worker } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { RunsByReference } from '../../src/activities/by-reference.js';
import { toApplicationFailure } from '../../src/activities/failure.js';
import { SENDERS } from '../../src/activities/notify/senders.js';
import { tellChannel } from '../../src/activities/notify/tellChannel.js';
import type { HealthChannels } from '../../src/cluster/health/settings.js';
import type { Cluster } from '../../src/cluster/types.js';
import { readBackground } from '../../src/engine/runs/check-background.js';
import { checkNow } from '../../src/engine/runs/checks.js';
import { readerOf, readRun } from '../../src/engine/runs/history.js';
import type { HealthMessageJson } from '../../src/plan/health-message.js';
import type { CheckBackground } from '../../src/plan/run.js';
import type { HealthReport } from '../../src/workflows/reports.js';
import { engine, fakes, useFreshWorkers, worker } from './fresh-worker.js';
import { TestWorker, testCluster } from './harness.js';

useFreshWorkers();

/** What the webhook has got. */
let got: HealthMessageJson[];
/** How it answers; without this it hangs. */
let answer: ((response: ServerResponse) => void) | undefined;
let url: string;

beforeEach(async () => {
  got = [];
  answer = (response) => response.writeHead(204).end();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      got.push(JSON.parse(body));
      answer?.(response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  // Looks are fakes; who is told, and what a check knows of the one before, is real.
  const runs = new RunsByReference((root) => readRun(readerOf(engine), root));
  const senders = { ...SENDERS, limitsMs: { webhook: 2_000, mail: 2_000, command: 10_000 } };
  fakes.telling = async (reference) => {
    const { signal } = new AbortController();
    const around = { senders, lookUp: () => undefined, signal };
    return runs
      .cluster(reference)
      .then((cluster) => tellChannel(cluster, reference, around))
      .catch((error) => {
        throw toApplicationFailure(error);
      });
  };
  fakes.background = (cluster) => readBackground(readerOf(engine), cluster);
  return () => {
    server.closeAllConnections();
    server.close();
  };
});

afterEach(() => {
  answer = undefined;
});

function clusterWith(channels: Partial<HealthChannels> = {}): Cluster {
  const webhook = { url, urlEnv: null, tokenEnv: null, ca: null, format: 'json' as const };
  return { ...testCluster(), health: { notify: { webhook, mail: null, command: null, ...channels } } };
}

function finds(...hosts: string[]): void {
  fakes.on('cluster/nodes', () => {
    const findings = hosts.map((host) => ({
      code: 'KW481',
      host,
      evidence: `${host} is not Ready`,
      hint: 'Look there.',
    }));
    return { outcome: 'unchanged', summary: '', findings };
  });
}

/** A check, and the moment from which the next one can read what it has left: lists of a server lag behind. */
async function check(cluster: Cluster): Promise<HealthReport> {
  const report = await checkNow(engine, cluster);
  const reader = readerOf(engine);
  await expect.poll(async () => (await readBackground(reader, cluster.name)).told).toEqual(report.told);
  return report;
}

const events = () => got.map(({ event }) => event);

describe('a webhook', () => {
  it('is called once for each change and once for the recovery, whichever worker checks', async () => {
    const cluster = clusterWith();
    await check(cluster);
    expect(got).toEqual([]);
    finds('w-1');
    const second = await check(cluster);
    expect(second.verdict).toBe('degraded');
    expect(got).toMatchObject([
      {
        event: 'changed',
        cluster: cluster.name,
        verdict: 'degraded',
        previous: 'ok',
        findings: [
          { code: 'KW481', host: 'w-1', evidence: 'w-1 is not Ready', since: new Date(second.at).toISOString() },
        ],
      },
    ]);
    await worker.stop();
    const other = await TestWorker.start(engine, fakes);
    await check(cluster);
    expect(got).toHaveLength(1);
    finds('w-1', 'w-2');
    await check(cluster);
    expect(events()).toEqual(['changed', 'changed']);
    finds();
    await check(cluster);
    await check(cluster);
    expect(events()).toEqual(['changed', 'changed', 'recovered']);
    expect(got[2]).toMatchObject({ verdict: 'ok', previous: 'degraded', findings: [] });
    expect(got[2]?.over).toEqual(expect.arrayContaining([{ code: 'KW481', host: 'w-2' }]));
    expect(new Set(got.map(({ id }) => id)).size).toBe(3);
    await other.stop();
  }, 120_000);

  it('is reminded after a day of what is still wrong', async () => {
    const cluster = clusterWith();
    finds('w-1');
    const { told } = await check(cluster);
    if (told?.webhook === undefined) throw new Error('the webhook was not told');
    const webhook = { ...told.webhook, at: Date.now() - 24 * 3_600_000 };
    fakes.background = async () => ({ told: { webhook } });
    const report = await checkNow(engine, cluster);
    expect(events()).toEqual(['changed', 'reminder']);
    expect(report.told?.webhook?.at).toBe(report.at);
  });

  it('that hangs is a finding beside the verdict; others are told meanwhile, and it by the next check', async () => {
    answer = undefined;
    const cluster = clusterWith({ command: ['/bin/true'] });
    finds('w-1');
    const first = await check(cluster);
    expect(first).toMatchObject({ verdict: 'degraded', told: { command: { verdict: 'degraded' } } });
    expect(first.told).not.toHaveProperty('webhook');
    const untold = {
      code: 'KW686',
      host: null,
      evidence: 'the webhook of health.notify was not told of the verdict: it did not answer in time',
      since: first.at,
    };
    expect(first.findings).toMatchObject([{ code: 'KW481' }, untold]);
    // Tried three times within the check, each time with the same id.
    expect(new Set(got.map(({ id }) => id)).size).toBe(1);
    expect(got).toHaveLength(3);
    const { searchAttributes } = await engine.client.workflow.getHandle(`check/${cluster.name}`).describe();
    expect(searchAttributes).toMatchObject({ KubewrightState: ['unhealthy'] });
    answer = (response) => response.writeHead(400).end('unknown hook');
    const second = await check(cluster);
    expect(second.findings).toMatchObject([
      { code: 'KW481' },
      { ...untold, evidence: expect.stringContaining('status 400 (unknown hook)') },
    ]);
    expect(got).toHaveLength(4);
    answer = (response) => response.writeHead(200).end();
    const third = await check(cluster);
    expect(third.findings).toMatchObject([{ code: 'KW481' }]);
    expect(got).toHaveLength(5);
    expect(fakes.tellings.filter(({ channel }) => channel === 'command')).toHaveLength(1);
    const history = await engine.client.workflow.getHandle(`check/${cluster.name}`).fetchHistory();
    const workflowBundle = { codePath: inject('workflowBundle') };
    await expect(Worker.runReplayHistory({ workflowBundle }, history)).resolves.toBeUndefined();
  }, 120_000);

  it('that fails leaves a cluster that is well as it is', async () => {
    const cluster = clusterWith();
    finds('w-1');
    await check(cluster);
    finds();
    answer = (response) => response.writeHead(404).end();
    const report = await check(cluster);
    expect(report).toMatchObject({ verdict: 'ok', findings: [{ code: 'KW686' }] });
    const { searchAttributes } = await engine.client.workflow.getHandle(`check/${cluster.name}`).describe();
    expect(searchAttributes).toMatchObject({ KubewrightState: ['healthy'] });
  });

  it('whose secret the worker does not have is a finding by its name', async () => {
    const webhook = { url: null, urlEnv: 'HOOK_URL', tokenEnv: null, ca: null, format: 'chat' as const };
    finds('w-1');
    const { findings } = await check(clusterWith({ webhook }));
    expect(findings[1]).toMatchObject({ code: 'KW686', evidence: expect.stringContaining('has no HOOK_URL') });
    expect(fakes.tellings).toHaveLength(1);
  });

  it('hears nothing of a check that was made while an operation changes the cluster', async () => {
    const cluster = clusterWith();
    const during: CheckBackground['during'] = { operation: 'install', workflowId: 'cluster/x', since: 1 };
    fakes.background = async () => ({ told: {}, during });
    finds('w-1');
    expect(await checkNow(engine, cluster)).toMatchObject({ verdict: 'degraded', during, told: {} });
    expect(got).toEqual([]);
  });
});
