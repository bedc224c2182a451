// The real bundle and the real Temporal of this machine, made before by `scripts/test.mjs` or made here (a quarter of an
// hour when cold). What is asked is asked of the programs themselves.
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureAllArtifacts } from '../../lab/artifacts/prefetch.js';
import { unpack } from '../../lab/artifacts/programs.js';
import { machineArchitecture } from '../../src/artifacts/recipes.js';
import { findTemporal, type TemporalBinaries } from '../../src/artifacts/temporal.js';
import {
  type Bundle,
  file,
  filesBelow,
  image,
  type LocatedImage,
  missingImages,
  readBundle,
  verifyBundle,
} from '../../src/bundle/bundle.js';
import { findBundle } from '../../src/bundle/locate.js';
import { DEFAULTS } from '../../src/cluster/defaults.js';

const VERSION = DEFAULTS.kubernetes.version;
let bundle: Bundle;
let temporal: TemporalBinaries;
let scratch: string;

beforeAll(async () => {
  const made = await ensureAllArtifacts({ version: VERSION, log: (line) => console.log(`    ${line}`) });
  bundle = await readBundle(made.bundle);
  temporal = made.temporal;
  scratch = await mkdtemp(join(tmpdir(), 'kubewright-artifacts-'));
}, 3_600_000);

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

/** A program as a host gets it: unpacked, for as long as these tests run. */
async function unpacked(path: string): Promise<string> {
  const target = join(scratch, path.replace('/', '-'));
  if (!existsSync(target)) await unpack(file(bundle, path), target);
  return target;
}

const run = async (path: string, ...args: string[]): Promise<string> =>
  (await execa(await unpacked(path), args, { all: true })).all;

async function readJson(archive: LocatedImage, path: string) {
  return JSON.parse((await execa('tar', ['-xOf', archive.absolutePath, path])).stdout);
}

/** The files of an image, as a container would see them. */
async function rootOf(archive: LocatedImage): Promise<string> {
  const root = await mkdtemp(join(scratch, 'root-'));
  const [index] = (await readJson(archive, 'index.json')).manifests;
  const manifest = await readJson(archive, `blobs/${index.digest.replace(':', '/')}`);
  for (const { digest } of manifest.layers) {
    const layer = `tar -xOf "$1" "$2" | tar --zstd --xattrs --xattrs-include='*' -xf - -C "$3"`;
    await execa('sh', ['-euc', layer, 'sh', archive.absolutePath, `blobs/${digest.replace(':', '/')}`, root]);
  }
  return root;
}

describe('the bundle', () => {
  it('is whole, and is the one that an installation finds', async () => {
    await verifyBundle(bundle);
    expect((await findBundle(VERSION, machineArchitecture() ?? ''))?.directory).toBe(bundle.directory);
  });

  it('has programs that know their version', async () => {
    expect(await run('bin/kubeadm', 'version', '-o', 'short')).toBe(`v${VERSION}`);
    expect(await run('bin/kubelet', '--version')).toBe(`Kubernetes v${VERSION}`);
    expect(await run('bin/kubectl', 'version', '--client')).toContain(`Client Version: v${VERSION}`);
    const etcd = bundle.versions.etcd?.slice(1);
    expect(await run('bin/etcd', '--version')).toContain(`etcd Version: ${etcd}`);
    expect(await run('bin/etcdctl', 'version')).toContain(`etcdctl version: ${etcd}`);
    expect(await run('bin/etcdutl', 'version')).toContain(`etcdutl version: ${etcd}`);
    expect(await run('bin/crictl', '--version')).toMatch(/^crictl version v?\d/);
    expect(await run('bin/containerd', '--version')).toContain(` ${bundle.versions.containerd}`);
    expect(await run('bin/ctr', '--version')).toContain(` ${bundle.versions.containerd}`);
    const runc = await run('bin/runc', '--version');
    expect(runc).toContain(`runc version ${bundle.versions.runc?.slice(1)}`);
    expect(runc).toMatch(/libseccomp: \d/);
  });

  it('has every CNI plugin of a flannel cluster', async () => {
    const names = filesBelow(bundle, 'cni').map(({ path }) => path.slice('cni/'.length));
    expect(names).toEqual(expect.arrayContaining(['bridge', 'flannel', 'host-local', 'loopback', 'portmap']));
    for (const name of names) {
      const { all } = await execa(await unpacked(`cni/${name}`), { all: true, reject: false });
      expect(all).toMatch(/^CNI .*plugin/);
    }
  });

  it('has every image that its own kubeadm asks for, and every one of flannel', async () => {
    const wanted = await run('bin/kubeadm', 'config', 'images', 'list', '--kubernetes-version', `v${VERSION}`);
    expect(wanted.split('\n').length).toBeGreaterThanOrEqual(7);
    expect(missingImages(bundle, wanted.split('\n'))).toEqual([]);
    const { stdout } = await execa('grep', [
      '-oE',
      'ghcr.io/.*',
      file(bundle, 'manifests/kube-flannel.yml').absolutePath,
    ]);
    expect(missingImages(bundle, [...new Set(stdout.split('\n'))])).toEqual([]);
  });

  it('has archives that carry the names and the architecture that bundle.json says', async () => {
    for (const { absolutePath, ...found } of bundle.images.map((candidate) =>
      image(bundle, candidate.names[0] ?? ''),
    )) {
      const { manifests } = await readJson({ absolutePath, ...found }, 'index.json');
      const names = manifests.map(
        (entry: { annotations: Record<string, string> }) => entry.annotations['io.containerd.image.name'],
      );
      expect(names).toEqual(found.names);
      expect(manifests[0].platform.architecture).toBe(bundle.architecture);
    }
  });
});

// Lab tests need root: without it this fails and says so, it is not passed over.
describe('the images', () => {
  /** A shell in a container's place: the image's files, a network of its own, nothing of the machine's. */
  const inside = (root: string, script: string) =>
    execa('unshare', ['--net', '--mount', '--pid', '--fork', 'sh', '-euc', IN_ROOT, 'sh', root, script], { all: true });
  const IN_ROOT = `
    mkdir -p "$1/proc" "$1/dev"
    mount -t proc proc "$1/proc"
    mount --bind /dev "$1/dev"
    exec chroot "$1" sh -euc "$2"`;

  it('kube-proxy and flannel have the same base, so that a host unpacks it once', async () => {
    const layers = async (name: string): Promise<string[]> => {
      const archive = image(bundle, name);
      const [index] = (await readJson(archive, 'index.json')).manifests;
      const manifest = await readJson(archive, `blobs/${index.digest.replace(':', '/')}`);
      return manifest.layers.map((layer: { digest: string }) => layer.digest);
    };
    const proxy = await layers('registry.k8s.io/kube-proxy:');
    const flannel = await layers('ghcr.io/flannel-io/flannel:');
    expect(proxy.slice(0, -1)).toEqual(flannel.slice(0, -1));
  });

  it('kube-proxy writes iptables rules of every kind that it needs, in nft where nobody was before', async () => {
    const root = await rootOf(image(bundle, 'registry.k8s.io/kube-proxy:'));
    const { all } = await inside(
      root,
      `iptables -t nat -N KUBE-SERVICES
       iptables -t nat -A KUBE-SERVICES -m comment --comment "a service" -m statistic --mode random --probability 0.5 -j RETURN
       iptables -t nat -A KUBE-SERVICES -m recent --name x --rcheck --seconds 10 --reap -j RETURN
       iptables -t nat -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j MASQUERADE --random-fully
       iptables -t filter -A FORWARD -m conntrack --ctstate INVALID -j DROP
       iptables -t filter -A FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
       printf '*nat\\n:KUBE-SEP - [0:0]\\n-A KUBE-SEP -p tcp -j DNAT --to-destination 10.0.0.1:80\\nCOMMIT\\n' | iptables-restore -w 5 --noflush --counters
       ip6tables -t nat -N KUBE-SERVICES
       iptables -V; iptables-save -t nat; nft list tables; ipset --version; conntrack --version; /usr/local/bin/kube-proxy --version`,
    );
    expect(all).toContain('(nf_tables)');
    expect(all).toContain('--to-destination 10.0.0.1:80');
    expect(all).toContain('table ip nat');
    expect(all).toContain(`Kubernetes v${VERSION}`);
  });

  it('flannel sides with legacy iptables where the kubelet used that', async () => {
    const root = await rootOf(image(bundle, 'ghcr.io/flannel-io/flannel:'));
    const { all } = await inside(
      root,
      'iptables-legacy -t mangle -N KUBE-KUBELET-CANARY; iptables -V; /opt/bin/flanneld --version',
    );
    expect(all).toContain('(legacy)');
    expect(all).toContain('v0.28.4');
  });

  it('the CNI plugin copies itself as the init container of the manifest tells it', async () => {
    const root = await rootOf(image(bundle, 'ghcr.io/flannel-io/flannel-cni-plugin:'));
    const { all } = await inside(
      root,
      'mkdir -p /opt/cni/bin; cp -f /flannel /opt/cni/bin/flannel; cmp /flannel /opt/cni/bin/flannel && echo same',
    );
    expect(all).toContain('same');
  });

  it('CoreDNS binds port 53 as nobody in particular, with the one capability that kubeadm leaves it', async () => {
    const root = await rootOf(image(bundle, 'registry.k8s.io/coredns/coredns:'));
    const identity = '--reuid=65532 --regid=65532 --clear-groups --bounding-set=-all,+net_bind_service --inh-caps=-all';
    const script = `ip link set lo up; cd /; setpriv ${identity} "$1/coredns" -dns.port 53 -conf /dev/null & sleep 0.1
      for i in $(seq 100); do ss -Hlun 'sport = 53' | grep -q . && { echo bound; kill $!; exit 0; }; sleep 0.1; done; exit 1`;
    const { stdout } = await execa('unshare', ['--net', 'sh', '-uc', script, 'sh', root]);
    expect(stdout).toContain('bound');
  });

  it('agnhost can ask the questions that the checks ask', async () => {
    const root = await rootOf(image(bundle, 'registry.k8s.io/e2e-test-images/agnhost:'));
    const { all } = await inside(root, '/agnhost --help; nslookup -? 2>&1 || true');
    expect(all).toMatch(/pause/);
    expect(all).toMatch(/Usage: nslookup/);
  });

  it('agnhost has what Kubernetes’ own suite runs in it: curl, dig, nc, getent and a shell', async () => {
    const agnhost = image(bundle, 'registry.k8s.io/e2e-test-images/agnhost:');
    expect(image(bundle, 'registry.k8s.io/e2e-test-images/glibc-dns-testing:').file).toBe(agnhost.file);
    const root = await rootOf(agnhost);
    const served = await rootOf(image(bundle, 'registry.k8s.io/coredns/coredns:'));
    await copyFile(join(served, 'coredns'), join(root, 'coredns'));
    const zone = ['10.0.0.7 name.test', '10.0.0.8 other.test'].join('\n    ');
    await writeFile(join(root, 'Corefile'), `. {\n  hosts {\n    ${zone}\n  }\n}\n`);
    await writeFile(join(root, 'etc/resolv.conf'), 'nameserver 127.0.0.1\nsearch test\n');
    await writeFile(join(root, 'etc/hosts'), '10.0.0.9 pod.example pod\n');
    // The questions as test/e2e of Kubernetes asks them, in the shell that it asks for.
    const { all } = await inside(
      root,
      `ip link set lo up
       /agnhost netexec --http-port=8080 --udp-port=8081 > /dev/null 2>&1 &
       /coredns -conf /Corefile > /dev/null 2>&1 &
       for i in \`seq 1 100\`; do curl -s -o /dev/null http://127.0.0.1:8080/ && dig +short +time=1 +tries=1 name.test | grep -q . && break; sleep 0.1; done
       echo "curl $(curl -g -q -s --connect-timeout 2 http://127.0.0.1:8080/echo?msg=hello)"
       echo "tcp $(echo hostName | nc -v -t -w 2 127.0.0.1 8080 2>/dev/null | head -c 12)"
       echo "udp $(echo 'echo hello' | nc -w 1 -u 127.0.0.1 8081)"
       echo "dig $(dig +notcp +noall +answer +search name A)"
       echo "dig $(dig +tcp +noall +answer other.test A)"
       echo "dig $(dig +short -x 10.0.0.7)"
       echo "getent $(getent hosts pod)"
       echo "getent $(getent hosts name)"
       /bin/bash -c 'echo shell bash'`,
    );
    expect(all).toContain('curl hello');
    expect(all).toContain('tcp HTTP/1.1 400');
    expect(all).toContain('udp hello');
    expect(all).toMatch(/dig name\.test\.\s+\d+\s+IN\s+A\s+10\.0\.0\.7/);
    expect(all).toMatch(/dig other\.test\.\s+\d+\s+IN\s+A\s+10\.0\.0\.8/);
    expect(all).toContain('dig name.test.');
    expect(all).toMatch(/getent 10\.0\.0\.9\s+pod\.example pod/);
    expect(all).toMatch(/getent 10\.0\.0\.7\s+name\.test/);
    expect(all).toContain('shell bash');
  });
});

describe('Temporal', () => {
  it('is found without building, and knows its version', async () => {
    expect(await findTemporal()).toEqual(temporal);
    expect((await execa(temporal.cli, ['--version'])).stdout).toContain('temporal version 1.5.1');
    expect((await execa(temporal.ui, ['--help'])).stdout).toMatch(/start/i);
  });
});
