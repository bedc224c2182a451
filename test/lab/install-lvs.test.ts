import { once } from 'node:events';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabHost } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import { machineArchitecture } from '../../src/artifacts/recipes.js';
import { expectRecorded } from './support/applied-record.js';
import { expectGivenBack, type HostStates, statesOf } from './support/given-back.js';
import { Installed } from './support/installed.js';
import { expectPostConditions } from './support/post-conditions.js';

const EXAMPLE = join(import.meta.dirname, '../../examples/clusters/lvs.yaml');
const DIRECTORS = ['lb-1', 'lb-2'];
/** Emulated, a director does in a minute what a host in namespaces does in six seconds. */
const INSTALL_MS = 1_800_000;

/** The example as it stands: directors are guests, for IPVS is in a kernel of their own. */
describe('an install behind LVS on two directors', () => {
  let cluster: Installed;
  let hostsBefore: HostStates;

  beforeAll(async () => {
    const guest = { distribution: 'debian-13' as const, architecture: machineArchitecture() ?? 'amd64' };
    const guests = Object.fromEntries(DIRECTORS.map((name) => [name, guest]));
    cluster = await Installed.up('lvs', 'stacked', { clusterFile: EXAMPLE, guests });
    // A stranger's view of the table: the install needs no ipvsadm.
    const fetch = 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y ipvsadm >/dev/null';
    await Promise.all(directors().map((host) => host.exec(fetch, { timeoutMs: 900_000 })));
    hostsBefore = await statesOf(cluster);
    const began = Date.now();
    await cluster.install({ timeoutMs: INSTALL_MS });
    console.log(`install-lvs: installed in ${Math.round((Date.now() - began) / 1000)} s`);
    await cluster.fetchKubeconfig();
  }, INSTALL_MS + 1_200_000);
  afterAll(async () => {
    await cluster?.down();
  });

  const directors = (): LabHost[] => DIRECTORS.map((name) => cluster.lab.host(name));
  const address = (name: string): string => cluster.lab.host(name).address;

  expectPostConditions(() => cluster);
  expectRecorded(() => cluster);

  test('both tables list all three control planes by direct routing, at the port of the virtual IP', async () => {
    for (const director of directors()) {
      expect(await servers(director)).toEqual(['cp-1', 'cp-2', 'cp-3'].map((name) => `${address(name)}:6443 Route`));
    }
  });

  test('the INTERNAL-IP of no node is the virtual IP, and pods of the host network have the node’s address', async () => {
    const nodes = await cluster.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].status.addresses[*].address}']);
    expect(nodes.split(' ')).not.toContain(cluster.lab.vip);
    const pods = await cluster.kubectl(['get', 'pods', '-A', '-o', 'jsonpath={.items[*].status.podIP}']);
    expect(pods.split(' ')).not.toContain(cluster.lab.vip);
  });

  test('every control plane has the virtual IP on lo and answers no ARP for it', async () => {
    for (const host of cluster.controlPlanes()) {
      expect((await host.exec(`ip -o -4 address show dev lo to ${cluster.lab.vip}`)).stdout).toContain('scope host');
    }
    const [holder] = await cluster.vipHolders();
    const { stdout: mac } = await (holder as LabHost).exec('cat /sys/class/net/eth0/address');
    // Asked by who knows nothing yet.
    const worker = cluster.lab.host('w-1');
    await worker.exec(`ip neighbour flush to ${cluster.lab.vip}; exec 3<>/dev/tcp/${cluster.lab.vip}/6443`);
    expect((await worker.exec(`ip neighbour show to ${cluster.lab.vip}`)).stdout).toContain(mac);
  });

  test('installing again changes nothing', async () => {
    const before = await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)));
    await cluster.install({ timeoutMs: INSTALL_MS });
    expect(await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)))).toEqual(before);
  });

  test.each(['cp-1', 'cp-2', 'cp-3'])('%s leaves the tables without power, and comes back with it', async (name) => {
    const host = cluster.lab.host(name);
    const probe = new Probe(cluster.lab.vip);
    await probe.start();
    await host.powerOff();
    try {
      for (const director of directors())
        expect(await until(async () => !(await lists(director, host)), 30_000)).toBe(true);
      expect(await cluster.takesWrite(`without-${name}`)).toBe(true);
      console.log(`install-lvs: ${name} lost its power; the API was away for at most ${await probe.stop()} ms`);
    } finally {
      await host.powerOn();
    }
    for (const director of directors()) expect(await until(() => lists(director, host), 180_000)).toBe(true);
    expect(await cluster.whole()).toBe(true);
    expect((await host.exec(`ip -o -4 address show dev lo to ${cluster.lab.vip}`)).stdout).not.toBe('');
  });

  test('an API server that is gone takes the virtual IP from its host, which reaches the others instead', async () => {
    const host = cluster.lab.host('cp-2');
    const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml';
    await host.exec(`mv ${manifest} /root/`);
    try {
      const isGone = async () => (await host.exec(`ip -o -4 address show dev lo to ${cluster.lab.vip}`)).stdout === '';
      expect(await until(isGone, 120_000)).toBe(true);
      const ask = 'kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=5s get --raw /readyz';
      expect(await until(async () => (await host.exec(ask, { allowFailure: true })).stdout === 'ok', 30_000)).toBe(
        true,
      );
    } finally {
      await host.exec(`mv /root/kube-apiserver.yaml ${manifest}`);
    }
    expect(await cluster.whole()).toBe(true);
  });

  test('the active director loses its power: the API answers again, on connections that were there before', async () => {
    const [holder] = await cluster.vipHolders();
    const other = directors().find((host) => host !== holder);
    const open = await Connection.to(cluster.lab.vip);
    expect(await open.asks()).toContain('401');
    // Connections are told of when they are established, and again every ten seconds.
    const isKnown = async () => (await other?.exec('ipvsadm -Lnc'))?.stdout.includes(`:${open.port} `) === true;
    expect(await until(isKnown, 30_000)).toBe(true);
    const probe = new Probe(cluster.lab.vip);
    await probe.start();
    await holder?.powerOff();
    try {
      expect(await until(async () => (await cluster.vipHolders()).includes(other as LabHost), 30_000)).toBe(true);
      expect(await open.asks()).toContain('401');
      console.log(`install-lvs: a director lost its power; the API was away for at most ${await probe.stop()} ms`);
      expect(await cluster.takesWrite('one-director')).toBe(true);
    } finally {
      open.end();
      await holder?.powerOn();
    }
    // It keeps what it has taken, and the other one is whole again: it takes it back when it has to.
    await expectWhole(holder as LabHost);
    expect((await cluster.vipHolders()).map(({ name }) => name)).toEqual([other?.name]);
    await other?.powerOff();
    try {
      expect(await until(async () => (await cluster.vipHolders()).includes(holder as LabHost), 30_000)).toBe(true);
      expect(await cluster.takesWrite('the-other-director')).toBe(true);
    } finally {
      await other?.powerOn();
    }
    await expectWhole(other as LabHost);
  });

  test('power comes back to all hosts at once: the API answers without anybody’s help', async () => {
    await Promise.all(cluster.lab.hosts.map((host) => host.powerOff()));
    await Promise.all(cluster.lab.hosts.map((host) => host.powerOn()));
    const isWhole = await cluster.whole(600_000);
    if (!isWhole) for (const director of directors()) console.log(await stateOf(director));
    expect(isWhole).toBe(true);
    expect(await cluster.takesWrite('after-blackout')).toBe(true);
  });

  expectGivenBack(() => ({ cluster, before: hostsBefore }));
});

/** Real servers in `ipvsadm -Ln`, with their way of forwarding, in the order of their addresses. */
async function servers(director: LabHost): Promise<string[]> {
  const { stdout } = await director.exec('ipvsadm -Ln');
  return [...stdout.matchAll(/^ +-> (\d\S+) +(\w+)/gm)].map(([, server, way]) => `${server} ${way}`).sort();
}

/** For whoever reads a failure: an emulated host is the first to be late. */
async function stateOf(director: LabHost): Promise<string> {
  const look =
    'uptime; ip -br address; ipvsadm -Ln; systemctl list-jobs --no-pager; journalctl -b -u keepalived -n 60 --no-pager';
  const { stdout, stderr } = await director.exec(look, { allowFailure: true, timeoutMs: 120_000 });
  return `${director.name}:\n${stdout}${stderr}`;
}

async function expectWhole(director: LabHost): Promise<void> {
  expect(await until(async () => (await servers(director)).length === 3, 180_000)).toBe(true);
}

async function lists(director: LabHost, host: LabHost): Promise<boolean> {
  return (await servers(director)).some((server) => server.startsWith(`${host.address}:`));
}

/** A connection to the API that stays open; nobody is who asks, so every answer is 401 or 403. */
class Connection {
  private constructor(
    private readonly socket: TLSSocket,
    /** The client's. */
    readonly port: number,
  ) {}

  static async to(vip: string, timeout = 20_000): Promise<Connection> {
    const socket = connect({ host: vip, port: 6443, rejectUnauthorized: false, timeout });
    socket.on('error', () => undefined).once('timeout', () => socket.destroy(new Error('no answer')));
    await once(socket, 'secureConnect');
    return new Connection(socket, socket.localPort ?? 0);
  }

  /** Status line of an answer on this very connection. */
  async asks(): Promise<string> {
    this.socket.write('GET /api HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer nobody\r\n\r\n');
    const [data] = (await once(this.socket, 'data')) as [Buffer];
    return data.toString().split('\r\n')[0] ?? '';
  }

  end(): void {
    this.socket.destroy();
  }
}

/** Asks the API ten times a second, each time by a new connection. */
class Probe {
  #longest = 0;
  #last = Date.now();
  #running = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(private readonly vip: string) {}

  async start(): Promise<void> {
    this.#running = true;
    this.#last = Date.now();
    this.#loop = this.#ask();
  }

  /** @returns the longest time between two answers, in ms */
  async stop(): Promise<number> {
    this.#running = false;
    await this.#loop;
    return this.#longest;
  }

  async #ask(): Promise<void> {
    while (this.#running) {
      void Connection.to(this.vip, 1_000)
        .then((connection) => connection.asks().finally(() => connection.end()))
        .then(() => {
          this.#longest = Math.max(this.#longest, Date.now() - this.#last);
          this.#last = Date.now();
        })
        .catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
