import { expect, test } from 'vitest';
import type { HealthFinding } from '../../../src/plan/run.js';
import type { HealthReport } from '../../../src/workflows/types.js';
import type { Installed } from './installed.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const ASIDE = '/root/kube-apiserver.yaml';

/** The latest report of the scheduled checks, as a program reads it. */
async function latest(cluster: Installed): Promise<HealthReport | undefined> {
  const { stdout } = await cluster.kubewright(['health', cluster.lab.files.clusterFile, '--json'], {
    allowFailure: true,
  });
  return reportIn(stdout);
}

/** The report of a check that is made now, as a program reads it. */
export async function check(cluster: Installed): Promise<HealthReport> {
  const { stdout, all } = await cluster.kubewright(['health', cluster.lab.files.clusterFile, '--now', '--json'], {
    allowFailure: true,
  });
  const report = reportIn(stdout);
  if (report === undefined) throw new Error(`no report: ${all}`);
  return report;
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

/** A scheduled check finds what breaks behind its back, and that it is whole again. */
export function expectScheduledChecks(get: () => Installed): void {
  test('a scheduled health check finds an API server that was stopped behind its back, and finds it recovered', async () => {
    const cluster = get();
    const host = cluster.controlPlanes()[1];
    if (host === undefined) throw new Error('there is no second control plane');
    const now = await cluster.kubewright(['health', cluster.lab.files.clusterFile, '--now'], { allowFailure: true });
    expect(now.stdout).toMatch(/is healthy/);
    expect(now.exitCode).toBe(0);
    await cluster.kubewright(['health', 'schedule', cluster.lab.files.clusterFile, '--every', '30s']);
    try {
      await host.exec(`mv ${MANIFEST} ${ASIDE}`);
      // Others see the same, without a word of the program's: that server answers no more, the VIP does.
      const direct = ['--server', `https://${host.address}:6443`, 'get', '--raw', '/readyz'];
      await expect.poll(() => cluster.tryKubectl(direct), LONG).toBeUndefined();
      await expect
        .poll(async () => (await latest(cluster))?.findings, LONG)
        .toContainEqual(expect.objectContaining({ code: 'KW601', host: host.name }));
      await host.exec(`mv ${ASIDE} ${MANIFEST}`);
      await expect.poll(() => cluster.tryKubectl(direct), LONG).toBe('ok');
      await expect.poll(async () => (await latest(cluster))?.findings, LONG).toEqual([]);
    } finally {
      await host.exec(`[ ! -e ${ASIDE} ] || mv ${ASIDE} ${MANIFEST}`);
      await cluster.kubewright(['health', 'remove', cluster.lab.name]);
    }
    expect((await cluster.kubewright(['health', 'list'])).stdout).toBe('');
  }, 400_000);
}

const LONG = { timeout: 120_000, interval: 2_000 };
