import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LabHost } from '../../../lab/hosts/index.js';
import { until } from '../../../lab/hosts/machine/run.js';
import type { HealthMessageJson } from '../../../src/plan/health-message.js';
import type { HealthFinding } from '../../../src/plan/run.js';
import type { HealthReport } from '../../../src/workflows/reports.js';
import { type Installed, withSpec } from './installed.js';
import { type Webhook, webhookOnThisMachine } from './webhook.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const ASIDE = '/root/kube-apiserver.yaml';

/** The latest report of the scheduled checks, as a program reads it. */
async function latest(cluster: Installed): Promise<HealthReport | undefined> {
  const { stdout } = await cluster.kubewright(['health', cluster.lab.files.clusterFile, '--json'], {
    allowFailure: true,
  });
  return reportIn(stdout);
}

interface Check {
  /** The cluster.yaml that it is asked with; default: the lab's own. */
  file?: string;
  /** Whether it makes no pods; default false. */
  quick?: boolean;
}

/** The report of a check that is made now, as a program reads it. */
export async function check(
  cluster: Installed,
  { file = cluster.lab.files.clusterFile, quick = false }: Check = {},
): Promise<HealthReport> {
  const { stdout, all } = await cluster.kubewright(['health', file, quick ? '--quick' : '--now', '--json'], {
    allowFailure: true,
  });
  const report = reportIn(stdout);
  if (report === undefined) throw new Error(`no report: ${all}`);
  return report;
}

/**
 * Waits until a check finds nothing. So many hosts on a small machine may be short of breath for a while, and each check is work for
 * them: pods are made only where nothing else is found, and it rests longer than it looks.
 */
export async function expectHealthy(cluster: Installed): Promise<void> {
  let found = '';
  const look = async (quick: boolean) => {
    found = told((await check(cluster, { quick })).findings);
    return found === '';
  };
  const isHealthy = async () => (await look(true)) && (await look(false));
  expect(await until(isHealthy, 600_000, 20_000), found).toBe(true);
}

/** Of the objects that the command has printed, one a line. */
function reportIn(stdout: string): HealthReport | undefined {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as HealthReport & { type: string }).find(({ type }) => type === 'health');
}

/** Findings as a reader of a failure wants them, a line each; empty for none. */
export function told(findings: HealthFinding[]): string {
  return findings.map(({ code, host, evidence }) => `${code} ${host ?? 'cluster'}: ${evidence}`).join('\n');
}

/** A scheduled check finds what breaks behind its back, and that it is whole again; a webhook is told of both, once. */
export function expectScheduledChecks(get: () => Installed): void {
  test('a scheduled health check finds an API server that was stopped behind its back, and finds it recovered; a webhook is told of each once', async () => {
    const cluster = get();
    const host = cluster.controlPlanes()[1];
    if (host === undefined) throw new Error('there is no second control plane');
    const { webhook, file, end } = await tellingAWebhook(cluster);
    try {
      const now = await cluster.kubewright(['health', file, '--now'], { allowFailure: true });
      expect(now.stdout).toMatch(/is healthy/);
      expect(now.exitCode).toBe(0);
      await cluster.kubewright(['health', 'schedule', file, '--every', '30s']);
      await expectBothTold(cluster, host, webhook.got);
    } finally {
      await host.exec(`[ ! -e ${ASIDE} ] || mv ${ASIDE} ${MANIFEST}`);
      await cluster.kubewright(['health', 'remove', cluster.lab.name], { allowFailure: true });
      await end();
    }
    expect((await cluster.kubewright(['health', 'list'])).stdout).toBe('');
  }, 600_000);
}

async function expectBothTold(cluster: Installed, host: LabHost, got: HealthMessageJson[]): Promise<void> {
  expect(got, 'a cluster that was well at its first check').toEqual([]);
  // No check sees it half-way: whether its manifest is gone already and its process still there would be chance.
  await cluster.kubewright(['health', 'pause', cluster.lab.name]);
  await host.exec(`mv ${MANIFEST} ${ASIDE}`);
  // Others see the same, without a word of the program's: that server answers no more, the VIP does.
  const direct = ['--server', `https://${host.address}:6443`, 'get', '--raw', '/readyz'];
  await expect.poll(() => cluster.tryKubectl(direct), LONG).toBeUndefined();
  await cluster.kubewright(['health', 'resume', cluster.lab.name]);
  await expect
    .poll(async () => (await latest(cluster))?.findings, LONG)
    .toContainEqual(expect.objectContaining({ code: 'KW601', host: host.name }));
  const first = await latest(cluster);
  await expect.poll(async () => (await latest(cluster))?.at, LONG).toBeGreaterThan(first?.at ?? Number.NaN);
  const saying = got.map(({ findings }) =>
    findings.map(({ code, host: of, evidence }) => `${code} ${of}: ${evidence}`),
  );
  expect(
    got.map(({ event, previous }) => ({ event, previous })),
    JSON.stringify(saying, null, 1),
  ).toEqual([{ event: 'changed', previous: 'ok' }]);
  expect(got[0]?.findings).toContainEqual(expect.objectContaining({ code: 'KW601', host: host.name }));
  await host.exec(`mv ${ASIDE} ${MANIFEST}`);
  await expect.poll(() => cluster.tryKubectl(direct), LONG).toBe('ok');
  await expect.poll(async () => (await latest(cluster))?.findings, LONG).toEqual([]);
  const recovered = await latest(cluster);
  await expect.poll(async () => (await latest(cluster))?.at, LONG).toBeGreaterThan(recovered?.at ?? Number.NaN);
  expect(got.map(({ event, verdict }) => `${event} ${verdict}`)).toEqual(['changed degraded', 'recovered ok']);
}

const TOKEN = 'HEALTH_WEBHOOK_TOKEN';

interface Telling {
  webhook: Webhook<HealthMessageJson>;
  /** The lab's cluster.yaml with the webhook in it, beside it: relative paths in it stay right. */
  file: string;
  end(): Promise<void>;
}

/** A webhook, a file that names it, and its token in the environment that workers are started with. */
async function tellingAWebhook(cluster: Installed): Promise<Telling> {
  const folder = await mkdtemp(join(tmpdir(), 'kubewright-webhook-'));
  process.env[TOKEN] = 'a-token-of-this-test';
  const webhook = await webhookOnThisMachine<HealthMessageJson>(folder, process.env[TOKEN]);
  const { clusterFile } = cluster.lab.files;
  const file = join(clusterFile, '..', 'telling.yaml');
  const notify = { webhook: { url: webhook.url, tokenEnv: TOKEN, caFile: webhook.caFile } };
  await writeFile(file, withSpec(await readFile(clusterFile, 'utf8'), { health: { notify } }));
  const end = async (): Promise<void> => {
    webhook.close();
    delete process.env[TOKEN];
    await Promise.all([rm(folder, { recursive: true, force: true }), rm(file, { force: true })]);
  };
  return { webhook, file, end };
}

const LONG = { timeout: 120_000, interval: 2_000 };
