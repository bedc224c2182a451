import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { namedFence } from '../../../../src/activities/fence.js';
import { renderInitScript } from '../../../../src/activities/kubeadm/init-script.js';
import { WAKE_KUBELET } from '../../../../src/activities/kubeadm/join/join.js';
import { renderJoinScript } from '../../../../src/activities/kubeadm/join/script.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import { renderOwner } from '../../../../src/render/owner.js';
import { clusterOf } from '../../cluster-fixture.js';
import { CA } from './fixtures.js';

/** Scripts run as they are in a real bash, but for the directories that they write to and the programs that they call. */
const cluster = clusterOf({ controlPlanes: 2, workers: 1 });
const [first, second, worker] = cluster.hosts as [ClusterHost, ClusterHost, ClusterHost];

const FENCE = { fence: 'this attempt' };

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kubewright-script-'));
  await Promise.all(
    ['bin', 'secrets', 'etc/kubernetes/manifests', 'var/lib/etcd'].map((path) =>
      mkdir(join(root, path), { recursive: true }),
    ),
  );
  await mkdir(join(root, 'run/kubewright'), { recursive: true });
  await writeFile(join(root, 'run/kubewright/fence'), FENCE.fence);
  await writeFile(join(root, 'secrets/token'), 'abcdef.0123456789abcdef');
  await writeFile(join(root, 'secrets/certificate-key'), 'f'.repeat(64));
});

afterEach(() => rm(root, { recursive: true, force: true }));

/** A program that notes how it was called; `body` is what else it does. */
async function program(name: string, body = ''): Promise<void> {
  const path = join(root, 'bin', name);
  await writeFile(path, `#!/bin/bash\nprintf '%s\\n' "${name} $*" >>${root}/calls\n${body}\n`);
  await chmod(path, 0o755);
}

async function run(script: string): Promise<{ calls: string[]; stdout: string; code: number }> {
  const text = `set -euo pipefail\n${namedFence(FENCE)}${script}`.replaceAll(
    /(?<![\w.}])\/(etc|var|run)\//g,
    `${root}/$1/`,
  );
  const env = { PATH: `${root}/bin:${process.env.PATH}`, KUBEWRIGHT_SECRETS: `${root}/secrets` };
  const { stdout, code } = await promisify(execFile)('bash', ['--norc', '-c', text], { env }).then(
    (result) => ({ stdout: result.stdout, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  );
  const calls = await readFile(join(root, 'calls'), 'utf8').catch(() => '');
  return { calls: calls.split('\n').filter(Boolean), stdout, code };
}

describe('the kubelet of a member that does not come back', () => {
  test.each([
    ['is started when it does not run', { active: false, age: 10 }, true],
    ['is restarted when it had its chance', { active: true, age: 500 }, true],
    ['is left alone while it is young: a restart would throw it back', { active: true, age: 10 }, false],
  ])('%s', async (_, { active, age }, restarted) => {
    const uptime = Number((await readFile('/proc/uptime', 'utf8')).split('.')[0]);
    const since = (uptime - age) * 1_000_000;
    await program('systemctl', `case $* in *is-active*) ${active} ;; show*) echo ${since} ;; esac`);
    const { calls, code } = await run(WAKE_KUBELET);
    expect(code).toBe(0);
    expect(calls.includes('systemctl restart kubelet')).toBe(restarted);
  });
});

describe('kubeadm join', () => {
  const patch = { path: '/etc/kubewright/patches/etcd+merge.yaml', content: "it's: fine\n" };

  beforeEach(async () => {
    await program(
      'kubeadm',
      `[ "$1" != join ] || { cp "\${2#--config=}" ${root}/join.yaml; cp ${root}/secrets/discovery.conf ${root}/; }`,
    );
    await program('openssl', "printf 'HTTP/1.0 200 OK\\r\\n\\r\\n{}'");
    for (const name of ['systemctl', 'kubectl', 'ip']) await program(name);
  });

  test('gets its secrets in a file, and in no argument list', async () => {
    const { calls, code } = await run(renderJoinScript(cluster, second, Buffer.from(CA), [patch]));
    expect(code).toBe(0);
    const config = await readFile(join(root, 'join.yaml'), 'utf8');
    // As strings: a token of digits only would be a number to YAML.
    expect(parse(config)).toMatchObject({
      discovery: {
        file: { kubeConfigPath: `${root}/secrets/discovery.conf` },
        tlsBootstrapToken: 'abcdef.0123456789abcdef',
      },
      controlPlane: { certificateKey: 'f'.repeat(64) },
    });
    expect(config).toContain('"abcdef.0123456789abcdef"');
    expect(config).not.toContain('@');
    expect(calls.join('\n')).not.toMatch(/abcdef|ffff/);
  });

  test('says who it is where the API answers nobody without a login, and the token is in no argument list then either', async () => {
    const closed = clusterOf({ controlPlanes: 2, workers: 1 });
    closed.kubernetes.apiServer.extraArgs = [{ name: 'authentication-config', value: '/etc/kubernetes/a/b.yaml' }];
    const script = renderJoinScript(closed, second, Buffer.from(CA), []);
    const { calls, code } = await run(script);
    expect(code).toBe(0);
    const discovery = parse(await readFile(join(root, 'discovery.conf'), 'utf8'));
    expect(discovery.users).toEqual([{ name: 'nobody', user: { token: 'abcdef.0123456789abcdef' } }]);
    expect(`${script}${calls.join('\n')}`).not.toContain('0123456789abcdef');
    await run(renderJoinScript(cluster, second, Buffer.from(CA), []));
    expect(parse(await readFile(join(root, 'discovery.conf'), 'utf8')).users).toEqual([{ name: 'nobody', user: {} }]);
  });

  test('leaves no secret where it is not taken away with the command', async () => {
    await run(renderJoinScript(cluster, second, Buffer.from(CA), [patch]));
    await rm(join(root, 'secrets'), { recursive: true });
    await rm(join(root, 'join.yaml'));
    const { stdout } = await promisify(execFile)('grep', [
      '-rl',
      '-e',
      'abcdef.0123456789',
      '-e',
      'ffffffff',
      root,
    ]).catch((e) => e);
    expect(stdout).toBe('');
  });

  test.each([
    ['answers', 'true'],
    ['was not seen to answer', 'false'],
  ])('of a control plane restarts the kubelet once, when its own API server %s', async (_, kubectl) => {
    await writeFile(join(root, 'etc/kubernetes/admin.conf'), '');
    await program('kubectl', kubectl);
    const { calls, code } = await run(renderJoinScript(cluster, second, Buffer.from(CA), []));
    expect(code).toBe(0);
    expect(calls.filter((call) => call === 'systemctl restart kubelet')).toHaveLength(1);
  });

  test('of a worker leaves the kubelet alone', async () => {
    const { calls } = await run(renderJoinScript(cluster, worker, Buffer.from(CA), []));
    expect(calls.filter((call) => call.startsWith('systemctl restart'))).toEqual([]);
  });

  test('touches nothing on a new host but what it writes', async () => {
    const { calls } = await run(renderJoinScript(cluster, worker, Buffer.from(CA), [patch]));
    expect(calls.filter((call) => call.startsWith('kubeadm'))).toEqual([
      `kubeadm join --config=${root}/secrets/join.yaml`,
    ]);
    expect(await readFile(join(root, 'etc/kubewright/patches/etcd+merge.yaml'), 'utf8')).toBe("it's: fine\n");
  });

  test.each([
    'etc/kubernetes/kubelet.conf',
    'etc/kubernetes/controller-manager.conf',
    'etc/kubernetes/manifests/etcd.yaml',
    'var/lib/etcd/member',
  ])('resets what an earlier one left (%s)', async (leftover) => {
    await writeFile(join(root, leftover), '');
    const { calls } = await run(renderJoinScript(cluster, second, Buffer.from(CA), []));
    const kubeadm = calls.filter((call) => call.startsWith('kubeadm')).map((call) => call.split(' ')[1]);
    expect(kubeadm).toEqual(['reset', 'join']);
    await expect(readFile(join(root, 'var/lib/etcd/member'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('of a control plane keeps what is in /etc/kubernetes/pki before a reset empties it, for root alone', async () => {
    await writeFile(join(root, 'etc/kubernetes/kubelet.conf'), '');
    await mkdir(join(root, 'etc/kubernetes/pki/etcd'), { recursive: true });
    await writeFile(join(root, 'etc/kubernetes/pki/etcd/mine.key'), 'a key of a person');
    await program('kubeadm', `[ "$1" != reset ] || rm -rf ${root}/etc/kubernetes/pki/*`);
    const { code } = await run(renderJoinScript(cluster, second, Buffer.from(CA), []));
    expect(code).toBe(0);
    const kept = (await readdir(join(root, 'var/lib/kubewright'))).filter((name) =>
      name.startsWith('pki-before-reset-'),
    );
    expect(kept).toHaveLength(1);
    const folder = join(root, 'var/lib/kubewright', kept[0] ?? '');
    expect(await readFile(join(folder, 'etcd/mine.key'), 'utf8')).toBe('a key of a person');
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  const OWN = 'a1, started, cp-1, https://10.88.0.11:2380, https://10.88.0.11:2379, false';
  const other = (learner: boolean) => `b2, started, cp-2, https://10.88.0.12:2380, https://10.88.0.12:2379, ${learner}`;
  const HTTP = (status: string, body: string) => `printf 'HTTP/1.0 ${status}\\r\\n\\r\\n${body}'`;
  const NOT_FOUND = HTTP('404 Not Found', '{"reason": "NotFound"}');

  test.each<[string, { api?: string; etcd?: string; fence?: string }, number]>([
    ['the cluster has neither its node nor its vote', {}, 0],
    ['etcd has it as a learner', { etcd: `printf '%s\\n' '${OWN}' '${other(true)}'` }, 0],
    ['the cluster has its node', { api: HTTP('200 OK', '{}') }, 66],
    ['the API does not tell', { api: 'exit 1' }, 66],
    ['the API is overloaded', { api: HTTP('429 Too Many Requests', '') }, 66],
    ['something else answers', { api: HTTP('404 Not Found', 'nginx') }, 66],
    ['etcd has its vote', { etcd: `printf '%s\\n' '${OWN}' '${other(false)}'` }, 66],
    ['etcd does not tell', { etcd: 'exit 1' }, 66],
    ['etcd says nothing', { etcd: ':' }, 66],
    ['another attempt has taken the host', { fence: 'another attempt' }, 93],
  ])('asks once more right before it resets: %s', async (_, { api, etcd, fence }, expected) => {
    await mkdir(join(root, 'var/lib/kubelet/pki'), { recursive: true });
    await mkdir(join(root, 'etc/kubernetes/pki/etcd'), { recursive: true });
    await writeFile(join(root, 'var/lib/kubelet/pki/kubelet-client-current.pem'), '');
    await writeFile(join(root, 'etc/kubernetes/pki/etcd/healthcheck-client.crt'), '');
    await writeFile(join(root, 'etc/kubernetes/kubelet.conf'), '');
    await program('openssl', api ?? NOT_FOUND);
    await program('etcdctl', etcd ?? `echo '${OWN}'`);
    await program('sleep');
    if (fence !== undefined) await writeFile(join(root, 'run/kubewright/fence'), fence);
    const { calls, code } = await run(renderJoinScript(cluster, second, Buffer.from(CA), []));
    expect(code).toBe(expected);
    expect(calls.some((call) => call.startsWith('kubeadm reset'))).toBe(expected === 0);
  });

  test.each([
    ['a link to another disk', async () => symlink(join(root, 'data'), join(root, 'var/lib/etcd'))],
    ['a directory', async () => mkdir(join(root, 'var/lib/etcd'))],
  ])('empties the directory of etcd and leaves it there, with what mkfs has put into it: %s', async (_, make) => {
    await rm(join(root, 'var/lib/etcd'), { recursive: true });
    await mkdir(join(root, 'data'));
    await make();
    for (const name of ['member/wal', 'lost+found']) await mkdir(join(root, 'var/lib/etcd', name), { recursive: true });
    const { calls, code } = await run(renderJoinScript(cluster, second, Buffer.from(CA), []));
    expect(code).toBe(0);
    expect(await readdir(join(root, 'var/lib/etcd/'))).toEqual(['lost+found']);
    // kubeadm takes it for data; nothing else may be in there for that to be overruled.
    const join_ = calls.find((call) => call.startsWith('kubeadm join'));
    expect(join_).toContain('--ignore-preflight-errors=DirAvailable--var-lib-etcd');
  });
});

describe('kubeadm init', () => {
  const HELP = (phases: string[]) => `The "init" command executes the following phases:
\`\`\`
${phases.map((name) => `${name}  Does something\n  /sub  Part of it\n`).join('')}\`\`\`

Usage:
  kubeadm init [flags]

Flags:
  certificate-key  No phase
`;
  const PHASES =
    'preflight certs kubeconfig etcd control-plane kubelet-start wait-control-plane upload-config upload-certs mark-control-plane bootstrap-token kubelet-finalize addon show-join-command'.split(
      ' ',
    );

  async function init(phases: string[], of: typeof cluster = cluster, kubectl = '') {
    await writeFile(join(root, 'help'), HELP(phases));
    await program('kubeadm', `[ "$2" != --help ] || cat ${root}/help`);
    for (const name of ['openssl', 'crictl', 'journalctl']) await program(name);
    await program('kubectl', kubectl);
    // Ports of the host itself are none of the test's.
    const script = renderInitScript(of, first, [{ path: '/etc/kubewright/kubeadm.yaml', content: 'x' }])
      .replace(/^listens\(\).*$/m, 'listens() { :; }')
      .replace(/^components\(\).*$/m, 'components() { :; }');
    const { calls, code, stdout } = await run(script);
    const ran = calls
      .filter((call) => call.startsWith('kubeadm init phase'))
      .map((call) =>
        call
          .replace(/ --(kube)?config=\S+/g, '')
          .split(' ')
          .slice(3)
          .join(' '),
      );
    return { ran, code, stdout, calls };
  }

  test("runs kubeadm's phases, the local ones in its order", async () => {
    const { ran, code } = await init(PHASES);
    expect(code).toBe(0);
    expect(ran.slice(0, 6)).toEqual([
      'preflight',
      'certs all',
      'kubeconfig all',
      'etcd local',
      'control-plane all',
      'kubelet-start',
    ]);
    expect(ran.slice(6, -1).sort()).toEqual([
      'addon all',
      'bootstrap-token --skip-token-print',
      'mark-control-plane',
      'upload-config all',
    ]);
    expect(ran.at(-1)).toBe('kubelet-finalize all');
  });

  test('waits for a balancer that leads to the API server late, before anything goes through it', async () => {
    // Through the endpoint, which the kubeconfig names, there is an answer the third time.
    const kubectl = `case $* in *--server*) ;; *) echo >>${root}/through; [ "$(wc -l <${root}/through)" -ge 3 ] ;; esac`;
    const endpoint = { address: '10.88.0.100', port: 6443 };
    const external = { ...cluster, endpoint, loadBalancer: { type: 'external' as const } };
    const { calls, code } = await init(PHASES, external, kubectl);
    expect(code).toBe(0);
    const through = calls.flatMap((call, index) => (/^kubectl (?!.*--server)/.test(call) ? [index] : []));
    expect(through).toHaveLength(3);
    expect(calls.findIndex((call) => call.includes('upload-config'))).toBeGreaterThan(through.at(-1) ?? Infinity);
    expect((await init(PHASES)).calls.filter((call) => /^kubectl (?!.*--server)/.test(call))).toHaveLength(3);
  });

  test('brings CoreDNS alone where there is no kube-proxy: kubeadm would bring both', async () => {
    const kubeProxy = { mode: 'none' as const, config: {} };
    const { ran, code } = await init(PHASES, { ...cluster, kubernetes: { ...cluster.kubernetes, kubeProxy } });
    expect(code).toBe(0);
    expect(ran.filter((phase) => phase.startsWith('addon'))).toEqual(['addon coredns']);
  });

  test.each(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'])(
    'goes on where it stopped, with the manifest of %s: what kubeadm checks first is there by then',
    async (name) => {
      await writeFile(join(root, `etc/kubernetes/manifests/${name}.yaml`), '');
      const { ran } = await init(PHASES);
      expect(ran[0]).toBe('certs all');
    },
  );

  test('hands the static pods of a load balancer to its kubelet, and waits for the endpoint that comes up with them', async () => {
    const folder = join(root, 'etc/kubewright/load-balancer');
    await mkdir(folder, { recursive: true });
    for (const name of ['haproxy', 'keepalived']) await writeFile(join(folder, `${name}.yaml`), `kind: ${name}\n`);
    const of = { ...cluster, loadBalancer: { type: 'static-pods' as const, images: null } };
    const { ran, code } = await init(PHASES, of);
    expect(code).toBe(0);
    expect(ran.slice(0, 6).at(-1)).toBe('kubelet-start');
    const manifests = join(root, 'etc/kubernetes/manifests');
    expect(await readFile(join(manifests, 'haproxy.yaml'), 'utf8')).toBe('kind: haproxy\n');
    expect((await readdir(manifests)).sort()).toEqual(['haproxy.yaml', 'keepalived.yaml']);
    const calls = (await readFile(join(root, 'calls'), 'utf8')).split('\n');
    const asked = calls.findIndex((call) => call.startsWith('kubectl') && !call.includes('--server='));
    expect(asked).toBeGreaterThan(calls.findIndex((call) => call.includes('phase kubelet-start')));
    expect(asked).toBeLessThan(calls.findIndex((call) => call.includes('phase addon')));
  });

  test('gives the administrators their rights first where the endpoint comes up by them', async () => {
    const folder = join(root, 'etc/kubewright/load-balancer');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'kube-vip.yaml'), 'kind: kube-vip\n');
    // The endpoint answers when the binding is there, as kube-vip takes the virtual IP then.
    const kubectl = `case $* in
  *--server*) case $* in *'create clusterrolebinding'*) [ ! -e ${root}/bound ] && >${root}/bound || exit 1 ;; esac ;;
  *) [ -e ${root}/bound ] ;;
esac`;
    const lease = { leaseDurationSeconds: 5, renewDeadlineSeconds: 3, retryPeriodSeconds: 1 };
    const of = { ...cluster, loadBalancer: { type: 'kube-vip' as const, image: null, ...lease } };
    const { calls, code } = await init(PHASES, of, kubectl);
    expect(code).toBe(0);
    const create = calls.findIndex((call) => call.includes('create clusterrolebinding'));
    expect(calls[create]).toContain('--server=https://10.88.0.11:6443');
    expect(calls[create]).toContain(
      'create clusterrolebinding kubeadm:cluster-admins --clusterrole=cluster-admin --group=kubeadm:cluster-admins',
    );
    expect(create).toBeLessThan(calls.findIndex((call) => /^kubectl (?!.*--server)/.test(call)));
    expect(await readFile(join(root, 'etc/kubernetes/manifests/kube-vip.yaml'), 'utf8')).toBe('kind: kube-vip\n');
    // A second run finds the binding that the first one made.
    await writeFile(join(root, 'calls'), '');
    const again = await init(PHASES, of, kubectl);
    expect(again.code).toBe(0);
    expect(again.calls.some((call) => call.includes('get clusterrolebinding kubeadm:cluster-admins'))).toBe(true);
    expect((await init(PHASES)).calls.filter((call) => call.includes('clusterrolebinding')).length).toBe(
      again.calls.filter((call) => call.includes('clusterrolebinding')).length,
    );
  });

  test('never runs over a cluster that was finished on this host', async () => {
    await mkdir(join(root, 'etc/kubewright'), { recursive: true });
    await mkdir(join(root, 'etc/kubernetes/pki'), { recursive: true });
    await writeFile(join(root, 'etc/kubernetes/pki/ca.key'), '');
    const owner = { cluster: 'demo', endpoint: 'x', host: 'cp-1', address: '10.88.0.11' };
    await writeFile(join(root, 'etc/kubewright/owner.json'), renderOwner({ ...owner, caFingerprint: null }));
    expect((await init(PHASES)).code).toBe(0);
    await writeFile(join(root, 'etc/kubewright/owner.json'), renderOwner({ ...owner, caFingerprint: 'sha256:ab' }));
    await writeFile(join(root, 'calls'), '');
    expect(await init(PHASES)).toMatchObject({ ran: [], code: 65 });
  });

  test('does not begin where the record that tells whether it was finished cannot be read', async () => {
    // A directory in its place is what grep cannot read.
    await mkdir(join(root, 'etc/kubewright/owner.json'), { recursive: true });
    expect(await init(PHASES)).toMatchObject({ ran: [], code: 65 });
  });

  test('does nothing for an attempt whose place another one has taken', async () => {
    await writeFile(join(root, 'run/kubewright/fence'), 'another attempt');
    expect(await init(PHASES)).toMatchObject({ ran: [], code: 93 });
  });

  test('takes a kubeadm that hides a phase which is not run by itself, as those before 1.34 do', async () => {
    const { ran, code } = await init(PHASES.filter((name) => name !== 'wait-control-plane'));
    expect(code).toBe(0);
    expect(ran).toContain('kubelet-finalize all');
  });

  test.each([
    ['one more', [...PHASES, 'levitate'], 'unknown phase: levitate'],
    ['one less', PHASES.filter((name) => name !== 'addon'), 'no phase addon'],
  ])('does nothing with a kubeadm that has %s', async (_, phases, why) => {
    const { ran, code, stdout } = await init(phases);
    expect({ ran, code }).toEqual({ ran: [], code: 64 });
    expect(stdout).toContain(why);
  });
});
