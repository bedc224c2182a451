import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { Balancer } from '../../lab/probes/balancer.js';
import { oneLine } from './support/edited-file.js';
import { expectGivenBack, type HostStates, statesOf } from './support/given-back.js';
import { Installed } from './support/installed.js';

const PORT = 16_443;

describe('an install behind a load balancer that is none of its hosts', () => {
  let cluster: Installed;
  let hostsBefore: HostStates;
  let balancer: Balancer | undefined;
  /** This machine, as the hosts see it. */
  let gateway: string;

  beforeAll(async () => {
    cluster = await Installed.up('balanced', 'stacked', { hosts: 4 });
    hostsBefore = await statesOf(cluster);
    const [first] = cluster.lab.hosts;
    gateway = (await first?.exec("ip -4 route show default | awk '{ print $3; exit }'"))?.stdout.trim() ?? '';
    const { clusterFile } = cluster.lab.files;
    const file = parse(await readFile(clusterFile, 'utf8')) as { spec: Record<string, unknown> };
    file.spec.endpoint = { address: gateway, port: PORT };
    file.spec.loadBalancer = { type: 'external' };
    await writeFile(clusterFile, stringify(file));
  });
  afterAll(async () => {
    await balancer?.stop();
    await cluster?.down();
  });

  const prints = async () => Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)));

  test('somebody else who answers there is told before the first change', async () => {
    const before = await prints();
    const { certificate, key, remove } = selfSigned();
    const stranger = createServer({ cert: certificate, key }).listen(PORT, gateway);
    try {
      await once(stranger, 'listening');
      const plan = await cluster.kubewright(['plan', cluster.lab.files.clusterFile], { allowFailure: true });
      expect(plan.exitCode).toBe(1);
      expect(oneLine(plan.stdout)).toMatch(
        /something else answers at .*a certificate of CN=somebody-else, issued by CN=somebody-else/,
      );
    } finally {
      stranger.close();
      remove();
    }
    expect(await prints()).toEqual(before);
  });

  test('it installs, and every kubelet, kube-proxy and the kubeconfig lead through the balancer', async () => {
    balancer = await Balancer.start(
      gateway,
      PORT,
      cluster.controlPlanes().map(({ address }) => address),
    );
    await cluster.install();
    await cluster.fetchKubeconfig();
    expect(await cluster.whole()).toBe(true);
    const server = `https://${gateway}:${PORT}`;
    expect(await cluster.kubectl(['config', 'view', '-o', 'jsonpath={.clusters[0].cluster.server}'])).toBe(server);
    expect(await cluster.kubectl(['-n', 'kube-system', 'get', 'configmap', 'kube-proxy', '-o', 'yaml'])).toContain(
      `server: ${server}`,
    );
    for (const host of cluster.lab.hosts.filter(({ role }) => role === 'worker')) {
      expect((await host.exec('cat /etc/kubernetes/kubelet.conf')).stdout).toContain(`server: ${server}`);
    }
  });

  test('no host has a virtual IP or a load balancer', async () => {
    for (const host of cluster.nodes()) {
      const { stdout } = await host.exec('pgrep -x "haproxy|keepalived"; ip -o -4 address show scope global', {
        allowFailure: true,
      });
      expect(stdout.split('\n').filter((line) => / (inet) /.test(line) && !/flannel|cni/.test(line))).toHaveLength(1);
    }
  });

  test('installing again changes nothing; a control plane that the balancer leaves out is told', async () => {
    const before = await prints();
    const servers = cluster.controlPlanes().map(({ address }) => address);
    const left = cluster.controlPlanes().at(-1)?.name;
    balancer?.leadTo(servers.slice(0, -1));
    const again = await cluster.install();
    balancer?.leadTo(servers);
    expect(oneLine(again.all ?? '')).toContain(`no connection to ${gateway}:${PORT} led to ${left}`);
    expect(await prints()).toEqual(before);
  });

  test('takes a write while each control plane in turn has no power', async () => {
    for (const host of cluster.controlPlanes()) {
      await host.powerOff();
      try {
        expect(await cluster.takesWrite(`without-${host.name}`)).toBe(true);
      } finally {
        await host.powerOn();
      }
      expect(await cluster.whole()).toBe(true);
    }
  });

  expectGivenBack(() => ({ cluster, before: hostsBefore }));
});

function selfSigned(): { certificate: string; key: string; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), 'kubewright-stranger-'));
  const args = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=somebody-else -days 2';
  execFileSync('openssl', [...args.split(' '), '-keyout', 'key', '-out', 'crt'], { cwd: root, stdio: 'pipe' });
  const read = (name: string) => readFileSync(join(root, name), 'utf8');
  return { certificate: read('crt'), key: read('key'), remove: () => rmSync(root, { recursive: true }) };
}
