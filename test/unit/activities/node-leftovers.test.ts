import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  anyPathFunction,
  BEGUN_PATHS,
  cleanUpScript,
  LEFTOVERS,
  leftoverFacts,
  NODE_PATHS,
} from '../../../src/activities/node-leftovers.js';

/** The scripts run in a real bash, with every absolute path of theirs below a directory of its own. */
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kubewright-leftovers-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function lay(path: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), '');
}

function run(script: string, options = 'set +e +u'): string {
  const moved = script.replaceAll(/(?<![\w.*}])\/(etc|var|run|usr|opt|sys)\//g, `${root}/$1/`);
  return execFileSync('bash', { input: `${options}\n${moved}`, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
}

/** What the host has of the list: meaning, maker and name. */
function found({ chains = '', units = '' } = {}): string[] {
  const said = run(`row() { shift; local IFS='|'; printf '%s\\n' "$*"; }
asked() { shift; "$@"; }
chains() { printf '%s\\n' ${chains}; }
systemctl() { printf '%s enabled\\n' ${units}; }
${leftoverFacts()}`);
  return said.replaceAll(root, '').split('\n').filter(Boolean);
}

const holds = (patterns: readonly string[]): boolean =>
  run(`${anyPathFunction('any', patterns)}any && echo yes || :`, 'set -euo pipefail').trim() === 'yes';

describe('what a node leaves', () => {
  it('is found nowhere on a blank host, also where the directories are there', () => {
    for (const folder of [
      'etc/kubernetes/manifests',
      'etc/kubernetes/pki',
      'var/lib/etcd/lost+found',
      'var/lib/kubelet',
    ])
      mkdirSync(join(root, folder), { recursive: true });
    expect(found()).toEqual([]);
    expect(holds(BEGUN_PATHS)).toBe(false);
  });

  it.each([
    ['/etc/kubernetes/manifests/kube-apiserver.yaml', 'node|kubeadm'],
    ['/etc/kubernetes/pki/ca.key', 'node|kubeadm'],
    ['/etc/kubernetes/super-admin.conf', 'begun|kubeadm'],
    ['/etc/kubernetes/pki/sa.pub', 'trace|kubeadm'],
    ['/etc/kubernetes/pki/etcd/healthcheck-client.key', 'trace|kubeadm'],
    ['/usr/local/bin/kubelet', 'trace|kubernetes'],
    ['/etc/etcd.env', 'trace|kubespray'],
    ['/etc/systemd/system/k3s-agent.service.env', 'trace|k3s'],
    ['/var/lib/rancher/rke2', 'trace|RKE2'],
    ['/etc/default/kubelet', 'residue|kubernetes'],
    ['/etc/cni/net.d/10-flannel.conflist', 'residue|flannel'],
    ['/sys/class/net/cni0', 'trace|flannel', 'the network interface cni0'],
    ['/sys/class/net/vxlan.calico', 'trace|another pod network', 'the network interface vxlan.calico'],
  ])('%s is %s', (path, meaning, name = path) => {
    lay(path);
    expect(found()).toEqual([`${meaning}|${name}`]);
    expect(holds(NODE_PATHS)).toBe(meaning.startsWith('node'));
    expect(holds(BEGUN_PATHS)).toBe(/^(node|begun)/.test(meaning));
  });

  it('is not what its owner put beside it on purpose', () => {
    for (const path of ['/etc/kubernetes/pki/oidc-ca.crt', '/etc/kubernetes/audit/policy.yaml', '/opt/cni/bin/mine'])
      lay(path);
    expect(found()).toEqual([]);
  });

  it('may be a link that leads nowhere', () => {
    mkdirSync(join(root, 'etc/kubernetes'), { recursive: true });
    symlinkSync('/nowhere', join(root, 'etc/kubernetes/kubelet.conf'));
    expect(found()).toEqual(['node|kubeadm|/etc/kubernetes/kubelet.conf']);
    expect(holds(NODE_PATHS)).toBe(true);
  });

  it('may be units and chains, those of another network before those of any', () => {
    const seen = found({
      chains: 'KUBE-ROUTER-INPUT KUBE-SEP-1 KUBE-SEP-2 DOCKER',
      units: 'ssh.service k0sworker.service',
    });
    expect(new Set(seen)).toEqual(
      new Set([
        'trace|another pod network|firewall chains KUBE-ROUTER-*',
        'residue|kubernetes|firewall chains KUBE-*',
        'trace|k0s|the unit k0sworker.service',
      ]),
    );
  });

  it('in the directory of etcd is named, whatever it is; an empty disk of its own is not', () => {
    for (const name of ['member/snap', 'default/x', '.hidden', 'lost+found/x']) lay(`/var/lib/etcd/${name}`);
    expect(found().sort()).toEqual([
      'node|kubeadm|/var/lib/etcd/member',
      'trace|etcd|/var/lib/etcd/.hidden',
      'trace|etcd|/var/lib/etcd/default',
    ]);
  });

  it('is looked for behind a link as well', () => {
    lay('/data/etcd/member');
    mkdirSync(join(root, 'var/lib'), { recursive: true });
    symlinkSync(join(root, 'data/etcd'), join(root, 'var/lib/etcd'));
    expect(found()).toEqual(['node|kubeadm|/var/lib/etcd/member']);
  });
});

describe('the clean-up after a failed join', () => {
  it('takes away all that is said to go, and nothing else', () => {
    for (const path of ['/var/lib/etcd/member/x', '/var/lib/etcd/lost+found/y', '/etc/cni/net.d/10-flannel.conflist'])
      lay(path);
    for (const path of ['/var/lib/cni/networks/x', '/run/flannel/subnet.env', '/etc/cni/net.d/87-podman.conflist'])
      lay(path);
    for (const card of ['cni0', 'flannel.1', 'eth0']) lay(`/sys/class/net/${card}`);
    const calls = run(`ip() { echo "$*"; }\n${cleanUpScript()}`, 'set -euo pipefail');
    expect(calls.split('\n').filter(Boolean).sort()).toEqual(['link delete cni0', 'link delete flannel.1']);
    expect(readdirSync(join(root, 'var/lib/etcd'))).toEqual(['lost+found']);
    expect(readdirSync(join(root, 'etc/cni/net.d'))).toEqual(['87-podman.conflist']);
    for (const gone of ['var/lib/cni', 'run/flannel']) expect(existsSync(join(root, gone))).toBe(false);
  });

  it('empties etcd’s directory behind a link and leaves the link', () => {
    lay('/data/etcd/member/x');
    mkdirSync(join(root, 'var/lib'), { recursive: true });
    symlinkSync(join(root, 'data/etcd'), join(root, 'var/lib/etcd'));
    run(cleanUpScript(), 'set -euo pipefail');
    expect(readdirSync(join(root, 'var/lib/etcd'))).toEqual([]);
    expect(readdirSync(join(root, 'data/etcd'))).toEqual([]);
  });

  it('does nothing on a host where nothing is', () => {
    expect(run(cleanUpScript(), 'set -euo pipefail')).toBe('');
  });

  it('is about our own node alone', () => {
    const others = LEFTOVERS.filter(({ cleanUp }) => cleanUp !== undefined && cleanUp !== 'reset').map(({ by }) => by);
    expect(new Set(others)).toEqual(new Set(['flannel', 'calico', 'cilium', 'etcd']));
  });
});
