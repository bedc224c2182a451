import { expect, test } from 'vitest';
import { until } from '../../../lab/hosts/machine/run.js';
import type { Installed } from './installed.js';

/** Emulated, the first start of an image takes a minute. */
const STARTED_MS = 300_000;

/** The check's image as a host has it: it was imported there, and no pod pulls it. */
export async function checkImageOn(cluster: Installed, host: string): Promise<string> {
  const find = 'ctr -n k8s.io images ls -q | grep agnhost | head -1';
  return (await cluster.lab.host(host).exec(find)).stdout;
}

/** Runs a command in a pod of one node. @returns what it printed, once it has ended well */
export async function runOn(cluster: Installed, host: string, pod: string, command: string[]): Promise<string> {
  const image = await checkImageOn(cluster, host);
  const overrides = JSON.stringify({ spec: { nodeName: host } });
  const how = ['--restart=Never', '--image-pull-policy=Never', `--overrides=${overrides}`];
  await cluster.kubectl(['run', pod, `--image=${image}`, ...how, '--command', '--', ...command]);
  const phase = ['get', 'pod', pod, '-o', 'jsonpath={.status.phase}'];
  const hasEnded = async () => ['Succeeded', 'Failed'].includes((await cluster.tryKubectl(phase)) ?? '');
  expect(await until(hasEnded, STARTED_MS)).toBe(true);
  const reason = ['get', 'pod', pod, '-o', 'jsonpath={.status.containerStatuses[*].state}'];
  expect(await cluster.kubectl(phase), await cluster.kubectl(reason)).toBe('Succeeded');
  return await cluster.kubectl(['logs', pod]);
}

/** DNS of the cluster answers a pod of this worker: through its kube-proxy and its pod network. */
export function expectNamesResolvedOn(get: () => Installed, host: string): void {
  test(`names are resolved in a pod of ${host}`, async () => {
    expect(await runOn(get(), host, 'asks', ['getent', 'hosts', 'kubernetes.default'])).toMatch(/^10\.96\.0\.1 /);
  });
}
