import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureBundle } from '../../src/artifacts/bundle.js';
import { type Bundle, readBundle } from '../../src/bundle/bundle.js';
import { cacheDirectory } from '../../src/bundle/cache-directory.js';
import { CHECK_IMAGE } from '../../src/bundle/image-names.js';
import { FLANNEL_MANIFEST } from '../../src/components/network/published.js';
import { buildDeb, makeDebRepository } from './support/deb-repository.js';
import { oneLine } from './support/edited-file.js';
import { Installed, withSpec } from './support/installed.js';
import { dockersContainerd, kubernetesDebs } from './support/kubernetes-debs.js';
import { expectPostConditions } from './support/post-conditions.js';
import { LabRegistry } from './support/registry.js';
import { LabRepository } from './support/repository.js';
import { Signer } from './support/signer.js';

const REGISTRY_LOGIN = 'puller:a-password-of-the-registry';
const REPOSITORY_LOGIN = 'puller:a-password-of-the-mirror';
const VARIABLES = { registry: 'KUBEWRIGHT_LAB_PULLER', repository: 'KUBEWRIGHT_LAB_MIRROR' };
/** As `grep` shall find it, but not in the command of that very grep. */
const HIDDEN = "-e '[p]assword-of-the-mirror'";

/** What the distribution of the lab's hosts has is too old for this Kubernetes. */
async function installContainerd(cluster: Installed, bundle: Bundle, folder: string): Promise<void> {
  const deb = await readFile(join(folder, await buildDeb(folder, await dockersContainerd(bundle))));
  for (const host of cluster.lab.hosts) {
    await host.exec('cat >/root/containerd.io.deb', { input: deb, timeoutMs: 120_000 });
    await host.exec('dpkg -i /root/containerd.io.deb && rm /root/containerd.io.deb', { timeoutMs: 120_000 });
  }
}

/** As if the worker had fetched it before: not every machine that runs this reaches its makers. */
async function keepManifest(bundle: Bundle): Promise<void> {
  const folder = join(cacheDirectory(), 'manifests');
  await mkdir(folder, { recursive: true });
  await copyFile(join(bundle.directory, 'manifests/kube-flannel.yml'), join(folder, FLANNEL_MANIFEST.sha256));
}

describe('an install with packages from a repository and images from a registry, both of the user', () => {
  let cluster: Installed;
  let registry: LabRegistry;
  let mirror: LabRepository;
  let signer: Signer;

  beforeAll(async () => {
    cluster = await Installed.up('repository', 'stacked', { hosts: 2 });
    const { gateway } = cluster.lab.record.plan.subnet;
    registry = await LabRegistry.start(gateway, REGISTRY_LOGIN);
    mirror = await LabRepository.start(gateway, REPOSITORY_LOGIN);
    signer = await Signer.make('mirror');
    const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const bundle = await readBundle(await ensureBundle({ version: cluster.version, arch }));
    await registry.fill(bundle);
    // Bundles that are built here have the agnhost of their Kubernetes; the published one is the same for all.
    const agnhost = bundle.images.flatMap(({ names }) => names).find((name) => name.includes('/agnhost:'));
    registry.alias(CHECK_IMAGE, agnhost ?? '');
    await makeDebRepository(join(mirror.folder, 'deb'), await kubernetesDebs(bundle), signer);
    await installContainerd(cluster, bundle, mirror.folder);
    await keepManifest(bundle);
    const { clusterFile } = cluster.lab.files;
    const keyFile = join(cluster.state, 'mirror.asc');
    await writeFile(keyFile, signer.publicKey);
    const packages = {
      source: 'repository',
      repository: {
        ...{ url: `${mirror.url}/{format}/`, key: keyFile, caFile: mirror.caFile },
        loginEnv: VARIABLES.repository,
      },
      registry: {
        ...{ address: registry.address, caFile: registry.caFile, loginEnv: VARIABLES.registry, images: 'all' },
      },
    };
    await writeFile(clusterFile, withSpec(await readFile(clusterFile, 'utf8'), { packages }));
    process.env[VARIABLES.registry] = REGISTRY_LOGIN;
  });

  afterAll(async () => {
    for (const name of Object.values(VARIABLES)) delete process.env[name];
    await cluster?.down();
    await Promise.all([registry?.stop(), mirror?.stop(), signer?.remove()]);
  });

  const prints = async () => Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)));

  test('is refused before the first change where a login is missing or wrong', async () => {
    const before = await prints();
    const refused = async () => {
      const plan = await cluster.kubewright(['plan', cluster.lab.files.clusterFile], { allowFailure: true });
      expect(plan.exitCode).toBe(1);
      return oneLine(plan.all ?? '');
    };
    expect(await refused()).toContain(`the variable ${VARIABLES.repository} is not set`);
    process.env[VARIABLES.repository] = 'puller:another-word';
    expect(await refused()).toMatch(/KW374.*wants a login, or another one/);
    process.env[VARIABLES.repository] = REPOSITORY_LOGIN;
    expect(await prints()).toEqual(before);
  });

  test('has its programs from packages, and gets nothing from the worker', async () => {
    const began = Date.now();
    await cluster.install();
    console.log(`install-repository: installed in ${Math.round((Date.now() - began) / 1000)} s`);
    await cluster.fetchKubeconfig();
    for (const host of cluster.lab.hosts) {
      const owners = await host.exec('dpkg -S $(readlink -f $(command -v kubelet kubeadm crictl) /opt/cni/bin/bridge)');
      expect(owners.stdout.split('\n').map((line) => line.split(':')[0])).toEqual([
        ...['kubelet', 'kubeadm', 'cri-tools', 'kubernetes-cni'],
      ]);
      expect((await host.exec('readlink /proc/$(pgrep -o -x kubelet)/exe')).stdout).toBe('/usr/bin/kubelet');
      expect((await host.exec('apt-mark showhold | sort | xargs')).stdout).toBe(
        `containerd.io cri-tools kubeadm ${host.role === 'control-plane' ? 'kubectl ' : ''}kubelet kubernetes-cni`,
      );
      const brought = 'ls /var/lib/kubewright/bundle /opt/kubewright 2>/dev/null || true';
      expect((await host.exec(brought)).stdout).toBe(host.role === 'control-plane' ? '/opt/kubewright:\netcd' : '');
    }
  });

  expectPostConditions(() => cluster);

  test('the login is in a file that root alone can read, and in no argument list, no journal and no payload', async () => {
    const file = '/etc/apt/auth.conf.d/kubewright-kubernetes.conf';
    for (const host of cluster.lab.hosts) {
      expect((await host.exec(`stat -c '%a %U' ${file}`)).stdout).toBe('600 root');
      const { stdout } = await host.exec(
        `grep -rl ${HIDDEN} /etc /run /tmp /var/lib /var/log /proc/[0-9]*/cmdline 2>/dev/null | grep -v -x ${file}; journalctl --no-pager | grep -c ${HIDDEN} || :`,
      );
      expect(stdout).toBe('0');
    }
    const { stdout } = await execa(`grep -rl ${HIDDEN} ${cluster.state}`, { shell: true, reject: false });
    expect(stdout).toBe('');
  });

  test('installing again changes nothing, and what is gone comes back from the mirror', async () => {
    const before = await prints();
    await cluster.install();
    expect(await prints()).toEqual(before);
    const [host] = cluster.lab.hosts;
    await host?.exec('apt-get clean; dpkg --remove --force-depends cri-tools; rm /usr/local/bin/etcdctl', {
      timeoutMs: 60_000,
    });
    await cluster.install();
    expect((await host?.exec('dpkg -S $(command -v crictl); etcdctl version | head -1'))?.stdout).toMatch(
      /^cri-tools: .*\netcdctl version: 3\./,
    );
  });
});
