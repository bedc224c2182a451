import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabHost } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import { Installed, withSpec } from './support/installed.js';

const TOKEN = 'a-token-of-this-test';

interface Told {
  token: string | undefined;
  change: {
    id: string;
    cluster: string;
    vip: string;
    holder: { name: string; address: string };
    previous: { name: string; address: string } | null;
    reason: { code: string; text: string };
    time: string;
  };
}

/** A webhook on this machine, at its address on the lab's bridge, with a certificate of its own. */
async function webhookAt(address: string, directory: string, told: Told[]) {
  const [key, ca] = [join(directory, 'webhook.key'), join(directory, 'webhook-ca.pem')];
  const subject = ['-subj', '/CN=webhook', '-addext', `subjectAltName=IP:${address}`];
  const form = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await execa('openssl', ['req', '-x509', ...form, ...subject, '-keyout', key, '-out', ca]);
  const server = createServer({ key: await readFile(key), cert: await readFile(ca) }, (request, response) => {
    let body = '';
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => {
      told.push({ token: request.headers.authorization, change: JSON.parse(body) as Told['change'] });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return { server, ca, url: `https://${address}:${(server.address() as { port: number }).port}/vip` };
}

describe('three control planes, and a webhook that is told when the VIP moves', () => {
  const told: Told[] = [];
  let cluster: Installed;
  let server: Server;

  beforeAll(async () => {
    process.env.VIP_WEBHOOK_TOKEN = TOKEN;
    cluster = await Installed.up('notify', 'stacked', { hosts: 4 });
    const { lab } = cluster;
    const webhook = await webhookAt(lab.record.plan.subnet.gateway, lab.directory, told);
    server = webhook.server;
    const notify = {
      webhook: { url: webhook.url, tokenEnv: 'VIP_WEBHOOK_TOKEN', caFile: webhook.ca },
      command: ['/usr/bin/tee', '-a', '/root/vip-changes'],
    };
    const file = lab.files.clusterFile;
    await writeFile(file, withSpec(await readFile(file, 'utf8'), { loadBalancer: { notify } }));
    const began = Date.now();
    await cluster.install();
    console.log(`install-notify: installed in ${Math.round((Date.now() - began) / 1000)} s`);
    await cluster.fetchKubeconfig();
  });
  afterAll(async () => {
    delete process.env.VIP_WEBHOOK_TOKEN;
    server?.closeAllConnections();
    server?.close();
    await cluster?.down();
  });

  async function holder(): Promise<LabHost> {
    const found = await until(async () => {
      const [only, ...others] = await cluster.vipHolders();
      return others.length === 0 ? only : undefined;
    }, 30_000);
    if (found === undefined) throw new Error('no host has the VIP, or several have');
    return found;
  }

  /** Whether the VIP's hardware address, as this machine knows it by ARP, is the host's: this machine is a client. */
  async function arpSays(host: LabHost): Promise<boolean> {
    await cluster.tryKubectl(['get', '--raw', '/version']);
    const { stdout: neighbour } = await execa('ip', ['neighbour', 'show', 'to', cluster.lab.vip]);
    const script = `ip -o link show $(ip -o -4 address show to ${cluster.lab.vip} | awk '{print $2}')`;
    const mac = /link\/ether ([0-9a-f:]+)/.exec((await host.exec(script)).stdout)?.[1];
    return mac !== undefined && neighbour.includes(mac);
  }

  /** Waits until one more change was told, and as long again for one too many. */
  async function toldOnce(before: number): Promise<Told> {
    expect(await until(async () => told.length > before, 60_000)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    expect(told.slice(before)).toHaveLength(1);
    return told[before] as Told;
  }

  const of = ({ name, address }: LabHost) => ({ name, address });

  test('the install itself, in which the VIP finds its place, tells nobody', async () => {
    expect((await holder()).name).toBe('cp-1');
    expect(told).toEqual([]);
  });

  test('no secret is in an argument list, in the journal or readable by others', async () => {
    for (const host of cluster.controlPlanes()) {
      const { stdout } = await host.exec(
        `grep -rl '${TOKEN}' /etc /var/lib/kubewright /var/log 2>/dev/null; stat -c '%a %U' /etc/kubewright/vip-notify/webhook.curl; journalctl --no-pager | grep -c '${TOKEN}' || :`,
      );
      expect(stdout.split('\n')).toEqual(['/etc/kubewright/vip-notify/webhook.curl', '600 root', '0']);
    }
  });

  test('HAProxy stopped on the holder: the VIP moves, and the webhook is called once, with who and why', async () => {
    const former = await holder();
    const before = told.length;
    await former.exec('systemctl stop haproxy');
    expect(await until(async () => (await holder()).name !== former.name, 30_000)).toBe(true);
    const now = await holder();
    expect(now.name).toBe('cp-2');
    expect(await arpSays(now)).toBe(true);
    const { token, change } = await toldOnce(before);
    expect(token).toBe(`Bearer ${TOKEN}`);
    expect(change).toMatchObject({
      vip: cluster.lab.vip,
      holder: of(now),
      previous: of(former),
      reason: { code: 'haproxy-down' },
    });
    expect(Math.abs(Date.parse(change.time) - Date.now())).toBeLessThan(120_000);
    const { stdout } = await now.exec('cat /root/vip-changes');
    expect(JSON.parse(stdout)).toEqual(change);
  });

  test('then the holder loses its power: once again', async () => {
    const former = await holder();
    const before = told.length;
    await former.powerOff();
    try {
      expect(await until(async () => (await cluster.vipHolders()).length === 1, 30_000)).toBe(true);
      const now = await holder();
      expect(now.name).toBe('cp-3');
      expect(await arpSays(now)).toBe(true);
      const { change } = await toldOnce(before);
      expect(change).toMatchObject({ holder: of(now), previous: of(former), reason: { code: 'host-gone' } });
    } finally {
      await former.powerOn();
    }
  });

  test('both come back, and each move is told by the one that takes the VIP back', async () => {
    const before = told.length;
    await cluster.lab.host('cp-1').exec('systemctl start haproxy');
    expect(await until(async () => (await cluster.vipHolders()).some(({ name }) => name === 'cp-1'), 120_000)).toBe(
      true,
    );
    expect(await cluster.whole()).toBe(true);
    expect(await until(async () => told.at(-1)?.change.holder.name === 'cp-1', 60_000)).toBe(true);
    const back = told.slice(before);
    expect(back.every(({ change }) => change.reason.code === 'higher-priority')).toBe(true);
    expect(new Set(back.map(({ change }) => change.id)).size).toBe(back.length);
  });

  test('a webhook that nobody answers holds nothing up, and is given up in the journal', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const former = await holder();
    await former.exec('systemctl stop haproxy');
    expect(await until(async () => (await cluster.vipHolders()).some(({ name }) => name !== former.name), 30_000)).toBe(
      true,
    );
    const now = await holder();
    const givenUp = `journalctl --no-pager -u kubewright-vip-notify | grep -q 'webhook failed 5 times and is given up'`;
    expect(await until(async () => (await now.exec(givenUp, { allowFailure: true })).exitCode === 0, 240_000)).toBe(
      true,
    );
    await former.exec('systemctl start haproxy');
  });

  test('installing again changes nothing; without the key it is taken away, and the VIP stays where it is', async () => {
    const before = await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)));
    await cluster.install();
    expect(await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)))).toEqual(before);
    const file = cluster.lab.files.clusterFile;
    const text = await readFile(file, 'utf8');
    await writeFile(file, withSpec(text, { loadBalancer: { notify: null } }));
    const was = (await holder()).name;
    await cluster.install();
    expect((await holder()).name).toBe(was);
    for (const host of cluster.controlPlanes()) {
      const { stdout } = await host.exec(
        'ls /etc/kubewright/vip-notify 2>/dev/null; systemctl is-active kubewright-vip-notify || :',
      );
      expect(stdout).toBe('inactive');
    }
  });
});
