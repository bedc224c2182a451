import { readFile, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureBundle } from '../../src/artifacts/bundle.js';
import { readBundle } from '../../src/bundle/bundle.js';
import { oneLine } from './support/edited-file.js';
import { Installed, withSpec } from './support/installed.js';
import { expectPostConditions } from './support/post-conditions.js';
import { LabRegistry } from './support/registry.js';

const LOGIN = 'puller:a-password-of-the-lab';
const VARIABLE = 'KUBEWRIGHT_LAB_REGISTRY_LOGIN';
/** Parts of an image, which only who pulls it asks for; its manifest the preflight asks for, too. */
const PAUSE = '/v2/mirror/registry.k8s.io/pause/blobs/';
/** As `grep` shall find it, but not in the command of that very grep. */
const HIDDEN = [LOGIN, Buffer.from(LOGIN).toString('base64')]
  .map((word) => `-e '[${word[0]}]${word.slice(1)}'`)
  .join(' ');

describe('an install whose images come from a registry of the user, with an authority of its own and a login', () => {
  let cluster: Installed;
  let registry: LabRegistry;
  let images: string[];

  beforeAll(async () => {
    cluster = await Installed.up('registry', 'stacked', { hosts: 4 });
    registry = await LabRegistry.start(cluster.lab.record.plan.subnet.gateway, LOGIN);
    const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const bundle = await readBundle(await ensureBundle({ version: cluster.version, arch }));
    images = bundle.images.flatMap(({ names }) => names).filter((name) => !name.startsWith('kubewright.dev/'));
    await registry.fill(bundle);
    const { clusterFile } = cluster.lab.files;
    const settings = { address: registry.address, caFile: registry.caFile, loginEnv: VARIABLE, images: 'all' };
    await writeFile(clusterFile, withSpec(await readFile(clusterFile, 'utf8'), { packages: { registry: settings } }));
  });
  afterAll(async () => {
    delete process.env[VARIABLE];
    await cluster?.down();
    await registry?.stop();
  });

  const prints = async () => Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)));

  test('is refused before the first change where the login is missing or wrong, or an image is not there', async () => {
    const before = await prints();
    const refused = async () => {
      const plan = await cluster.kubewright(['plan', cluster.lab.files.clusterFile], { allowFailure: true });
      expect(plan.exitCode).toBe(1);
      return oneLine(plan.all ?? '');
    };
    expect(await refused()).toContain(`the variable ${VARIABLE} is not set`);
    process.env[VARIABLE] = 'puller:another-word';
    expect(await refused()).toContain(`with the login of ${VARIABLE}`);
    process.env[VARIABLE] = LOGIN;
    const lost = images.find((name) => name.includes('/kube-proxy:')) ?? '';
    registry.remove(lost);
    expect(await refused()).toContain(`cannot pull ${lost}`);
    registry.restore(lost);
    expect(await prints()).toEqual(before);
  });

  test('pulls every image from there and gets no archive from the worker', async () => {
    registry.asked.length = 0;
    const began = Date.now();
    await cluster.install();
    console.log(`install-registry: installed in ${Math.round((Date.now() - began) / 1000)} s`);
    await cluster.fetchKubeconfig();
    const pulled = registry.asked.filter(({ path, status }) => path.startsWith(PAUSE) && status === 200);
    expect([...new Set(pulled.map(({ from }) => from))].sort()).toEqual(
      cluster.lab.hosts.map(({ address }) => address).sort(),
    );
    for (const host of cluster.lab.hosts) {
      // Archives go when they are imported; the folder that they came to stays.
      expect((await host.exec('ls -d /var/lib/kubewright/bundle/images 2>/dev/null || true')).stdout).toBe('');
    }
  });

  expectPostConditions(() => cluster);

  test('the login is in files that root alone can read, and in no argument list, no journal and no payload', async () => {
    for (const host of cluster.lab.hosts) {
      const { stdout: mode } = await host.exec('stat -c %a /etc/containerd/certs.d/registry.k8s.io/hosts.toml');
      expect(mode).toBe('600');
      const { stdout } = await host.exec(
        `grep -rl ${HIDDEN} /etc /var/lib/kubewright /var/log /proc/[0-9]*/cmdline 2>/dev/null | grep -v ^/etc/containerd/certs.d/; journalctl --no-pager | grep -c ${HIDDEN} || :`,
      );
      expect(stdout).toBe('0');
    }
    const { stdout } = await execa(`grep -rl ${HIDDEN} ${cluster.state}`, { shell: true, reject: false });
    expect(stdout).toBe('');
  });

  test('an image that is gone comes back from there, and installing again changes nothing', async () => {
    const before = await prints();
    await cluster.install();
    expect(await prints()).toEqual(before);
    const name = images.find((image) => image.includes('/agnhost:')) ?? '';
    const [host] = cluster.lab.hosts;
    registry.asked.length = 0;
    await host?.exec(`crictl rmi ${name} && crictl pull ${name}`);
    expect(registry.asked.some(({ from, path }) => from === host?.address && path.includes('/agnhost/'))).toBe(true);
  });
});
