import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { LabHost } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import { killHard, workerRecord } from '../chaos/processes.js';
import { expectGivenBack, type HostStates, statesOf } from './support/given-back.js';
import { Installed } from './support/installed.js';
import { expectPostConditions } from './support/post-conditions.js';

const KEY = '/etc/kubernetes/encryption-at-rest/config.yaml';
const AUDIT_LOG = '/var/log/kubernetes/audit/audit.log';
const VALUE = 'what-nobody-may-find-in-etcd';

/** The hardened example on lab hosts. They share this machine's kernel, whose settings are no test's to change. */
async function harden(cluster: Installed): Promise<void> {
  const { clusterFile } = cluster.lab.files;
  const example = parse(await readFile(join(import.meta.dirname, '../../examples/clusters/hardened.yaml'), 'utf8'));
  const file = parse(await readFile(clusterFile, 'utf8'));
  file.spec.hardening = example.spec.hardening;
  file.spec.security = { ...example.spec.security, protectKernelDefaults: false };
  await writeFile(clusterFile, stringify(file));
}

/** Status with which one API server answers somebody who has not logged in. */
async function anonymous(host: LabHost, port: number, path: string): Promise<string> {
  const curl = ['-sk', '-o', '/dev/null', '-w', '%{http_code}', `https://${host.address}:${port}${path}`];
  return (await execa('curl', curl)).stdout;
}

function etcdctl(command: string): string {
  const pki = '/etc/kubernetes/pki/etcd';
  return `etcdctl --endpoints=https://127.0.0.1:2379 --cacert=${pki}/ca.crt --cert=${pki}/healthcheck-client.crt --key=${pki}/healthcheck-client.key ${command}`;
}

/** Two Secrets that are applied without data of their own, into which somebody else writes. */
const APPLIED_AND_FILLED = `export KUBECONFIG=/etc/kubernetes/admin.conf
for name in applied-1 applied-2; do
  printf 'apiVersion: v1\\nkind: Secret\\nmetadata: {name: %s}\\n' "$name" | kubectl apply -f -
  kubectl patch secret "$name" -p '{"stringData": {"by-a-controller": "filled"}}'
done`;

/** Reads one Secret through every API server until it is told to end; a read by name asks etcd. @returns what could not be read */
async function readAllTheTime(cluster: Installed, hasEnded: () => boolean): Promise<string[]> {
  const failures: string[] = [];
  const read = ['get', 'secret', 'hardened', '-o', 'jsonpath={.data.value}'];
  while (!hasEnded()) {
    for (const { name, address } of cluster.controlPlanes()) {
      const server = `https://${address}:${cluster.ports.apiServer}`;
      const value = await cluster.kubectl(['--server', server, ...read]).catch((error: unknown) => String(error));
      if (Buffer.from(value, 'base64').toString() !== VALUE) failures.push(`${name}: ${value}`);
    }
    await setTimeout(1_000);
  }
  return failures;
}

describe('the hardened example on five fresh hosts', () => {
  let cluster: Installed;
  let hostsBefore: HostStates;
  beforeAll(async () => {
    cluster = await Installed.up('hardened', 'stacked');
    hostsBefore = await statesOf(cluster);
    await harden(cluster);
    await cluster.install();
    await cluster.fetchKubeconfig();
  });
  afterAll(async () => {
    await cluster?.down();
  });

  expectPostConditions(() => cluster);

  test('has Secrets in etcd as ciphertext alone, and every API server reads them', async () => {
    await cluster.kubectl(['create', 'secret', 'generic', 'hardened', `--from-literal=value=${VALUE}`]);
    const [first] = cluster.members() as [LabHost];
    const { stdout } = await first.exec(
      etcdctl('get /registry/secrets/default/hardened --print-value-only | base64 -w 0'),
    );
    const stored = Buffer.from(stdout, 'base64');
    expect(stored.subarray(0, 21).toString()).toBe('k8s:enc:secretbox:v1:');
    expect(stored.includes(VALUE)).toBe(false);
    for (const { address } of cluster.controlPlanes()) {
      const server = `https://${address}:${cluster.ports.apiServer}`;
      const read = await cluster.kubectl([
        '--server',
        server,
        'get',
        'secret',
        'hardened',
        '-o',
        'jsonpath={.data.value}',
      ]);
      expect(Buffer.from(read, 'base64').toString()).toBe(VALUE);
    }
  });

  test('has no Secret in etcd that is not encrypted, kubeadm’s own among them', async () => {
    const [first] = cluster.members() as [LabHost];
    const { stdout } = await first.exec(etcdctl('get /registry/secrets/ --prefix -w json'));
    const { kvs } = JSON.parse(stdout) as { kvs: { value: string }[] };
    expect(kvs.length).toBeGreaterThan(0);
    for (const { value } of kvs) expect(Buffer.from(value, 'base64').subarray(0, 8).toString()).toBe('k8s:enc:');
  });

  test('has one key on every control plane, root’s alone, and on no worker', async () => {
    const looks = cluster.nodes().map(async (host) => ({
      role: host.role,
      said: (await host.exec(`stat -c '%a %U' ${KEY} 2>&1; sha256sum <${KEY}`, { allowFailure: true })).stdout,
    }));
    const seen = await Promise.all(looks);
    const keys = seen.filter(({ role }) => role === 'control-plane').map(({ said }) => said);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^600 root\n[0-9a-f]{64}/);
    for (const { said } of seen.filter(({ role }) => role === 'worker')) expect(said).not.toMatch(/[0-9a-f]{64}/);
  });

  test('answers health checks without a login, and nothing else', async () => {
    const { apiServer } = cluster.ports;
    for (const host of cluster.controlPlanes()) {
      for (const path of ['/livez', '/readyz', '/healthz']) expect(await anonymous(host, apiServer, path)).toBe('200');
      for (const path of ['/api', '/version', '/api/v1/namespaces/kube-public/configmaps/cluster-info'])
        expect(await anonymous(host, apiServer, path)).toBe('401');
    }
  });

  test('writes an audit log on every control plane, without what is in Secrets', async () => {
    for (const host of cluster.controlPlanes()) {
      const { stdout } = await host.exec(
        `wc -l <${AUDIT_LOG}; grep -c ${VALUE} ${AUDIT_LOG} || true; stat -c %a ${AUDIT_LOG}`,
      );
      const [lines, found, mode] = stdout.split('\n');
      expect(Number(lines)).toBeGreaterThan(0);
      expect(found).toBe('0');
      expect(mode).toBe('600');
    }
    const logs = await Promise.all(cluster.controlPlanes().map((host) => host.exec(`cat ${AUDIT_LOG}`)));
    const events = logs.flatMap(({ stdout }) =>
      stdout.split('\n').filter((line) => line.includes('"name":"hardened"')),
    );
    expect(events.some((line) => line.includes('"verb":"create"') && line.includes('"level":"Metadata"'))).toBe(true);
  });

  test('has kubelets that serve with certificates of the cluster’s CA, each with its own name and address', async () => {
    const [first] = cluster.controlPlanes() as [LabHost];
    for (const host of cluster.nodes()) {
      const script = `echo | openssl s_client -connect ${host.address}:10250 -CAfile /etc/kubernetes/pki/ca.crt -verify_return_error -verify_ip ${host.address} 2>/dev/null | openssl x509 -noout -subject`;
      expect((await first.exec(script)).stdout.replaceAll(' ', '')).toContain(`CN=system:node:${host.name}`);
    }
    // API servers check them.
    const pods = [
      '-n',
      'kube-system',
      'get',
      'pods',
      '-l',
      'k8s-app=kube-dns',
      '-o',
      'jsonpath={.items[0].metadata.name}',
    ];
    const pod = await cluster.kubectl(pods);
    expect(await cluster.kubectl(['-n', 'kube-system', 'logs', pod])).toContain('CoreDNS');
  });

  test('refuses TLS 1.1 everywhere, and pods with the host’s network in ordinary namespaces', async () => {
    const [first] = cluster.controlPlanes() as [LabHost];
    for (const port of [cluster.ports.apiServer, 2379, 10250, 10257, 10259]) {
      const address = port > 10250 ? '127.0.0.1' : first.address;
      const old = `openssl s_client -connect ${address}:${port} -tls1_1 -cipher 'ALL@SECLEVEL=0' </dev/null 2>&1 | grep -c 'BEGIN CERTIFICATE' || true`;
      expect((await first.exec(old)).stdout.trim(), String(port)).toBe('0');
    }
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'intruder' },
      spec: { hostNetwork: true, containers: [{ name: 'x', image: 'x' }] },
    };
    await expect(cluster.kubectl(['create', '-f', '-'], JSON.stringify(pod))).rejects.toThrow(/violates PodSecurity/);
  });

  test('brings the key back to a control plane that lost it, and installing again changes nothing else', async () => {
    const last = cluster.controlPlanes().at(-1) as LabHost;
    const digest = async () => (await last.exec(`sha256sum <${KEY}`)).stdout;
    const before = await digest();
    await last.exec(`rm ${KEY}`);
    await cluster.install();
    expect(await digest()).toBe(before);
    expect(await until(() => cluster.whole(), 180_000)).toBeTruthy();
  });

  test('refuses before the first change when no control plane has the key any more', async () => {
    const hosts = cluster.controlPlanes();
    for (const host of hosts) await host.exec(`mv ${KEY} /root/kept.yaml`);
    const { exitCode, all } = await cluster.kubewright(['plan', cluster.lab.files.clusterFile], { allowFailure: true });
    for (const host of hosts) await host.exec(`mv /root/kept.yaml ${KEY}`);
    expect(exitCode).not.toBe(0);
    expect(all).toContain('the cluster encrypts its Secrets, and the key is lost');
  });

  test('gets another key while it lives, although the worker is killed in the middle, and every Secret can be read all the time', async () => {
    const hosts = cluster.controlPlanes();
    const keysOn = async (host: LabHost) =>
      (await host.exec(`sed -nE 's/^ *- name: //p' ${KEY}`)).stdout.split('\n').filter(Boolean);
    const [first] = hosts as [LabHost];
    const [former] = await keysOn(first);
    await first.exec(APPLIED_AND_FILLED);
    const asIs = [
      'get',
      'secrets',
      'applied-1',
      'applied-2',
      '-o',
      'jsonpath={.items[*].data}{.items[*].metadata.annotations}',
    ];
    const before = await cluster.kubectl(asIs);
    expect(before).toContain('by-a-controller');
    const rotation = cluster.kubewright(['rotate-encryption-key', cluster.lab.files.clusterFile]);
    let ended = false;
    const unread = readAllTheTime(cluster, () => ended);
    try {
      expect(await until(async () => (await keysOn(first)).length === 2, 180_000)).toBeTruthy();
      killHard((await workerRecord(cluster.state))?.pid);
      expect((await rotation).all).toContain('Left to do: back up');
    } finally {
      ended = true;
    }
    expect(await unread).toEqual([]);
    // What `kubectl apply` noted is what it compares with next time: with more in it, it would delete that.
    expect(await cluster.kubectl(asIs)).toBe(before);

    const [key, ...others] = await keysOn(first);
    expect(others).toEqual([]);
    expect(key).not.toBe(former);
    const files = await Promise.all(hosts.map(async (host) => (await host.exec(`sha256sum <${KEY}`)).stdout));
    expect(new Set(files).size).toBe(1);
    const { stdout } = await (cluster.members()[0] as LabHost).exec(etcdctl('get /registry/secrets/ --prefix -w json'));
    const { kvs } = JSON.parse(stdout) as { kvs: { value: string }[] };
    const prefixes = kvs.map(
      ({ value }) => /^k8s:enc:[^:]*:v1:[^:]*:/.exec(Buffer.from(value, 'base64').toString('latin1'))?.[0],
    );
    expect(new Set(prefixes)).toEqual(new Set([`k8s:enc:secretbox:v1:${key}:`]));

    const again = await cluster.install();
    for (const { name } of hosts) expect(again.all).toContain(`${name}/encryption-key  unchanged`);
    expect((await first.exec(`sha256sum <${KEY}`)).stdout).toBe(files[0]);
    expect(await until(() => cluster.whole(), 180_000)).toBeTruthy();
  });

  expectGivenBack(() => ({ cluster, before: hostsBefore }));
});
