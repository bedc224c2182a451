import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HOST_KEYS, SshServer, Surroundings } from '../hosts/ssh-server.js';
import { runCommand } from './run.js';

let where: Surroundings;
let servers: SshServer[];
let file: string;

/** cp-1 lets in, cp-2 has another host key than the one on file, cp-3 is named by a file that makes circles. */
beforeEach(async () => {
  where = new Surroundings();
  servers = [await SshServer.start(), await SshServer.start()];
  mkdirSync(path.join(where.home, '.ssh'));
  const [first, second] = servers.map(({ port }) => port);
  where.trust(servers[0] as SshServer);
  where.trust(servers[1] as SshServer, HOST_KEYS.other);
  writeFileSync(
    path.join(where.home, '.ssh/config'),
    `Host one\n  HostName 127.0.0.1\n  Port ${first}\nHost three\n  ProxyJump four\nHost four\n  ProxyJump three\n`,
  );
  file = path.join(where.home, 'cluster.yaml');
  writeFileSync(
    file,
    `apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: demo }
spec:
  endpoint: { vip: 10.88.0.100 }
  ssh: { agent: false, keyFile: ${where.keyFile}, knownHostsFile: ${where.knownHosts}, sudoPasswordEnv: SUDO_PW }
  hosts:
    - { name: cp-1, address: 10.88.0.11, role: control-plane, ssh: { address: one } }
    - { name: cp-2, address: 10.88.0.12, role: control-plane, ssh: { address: 127.0.0.1, port: ${second} } }
    - { name: cp-3, address: 10.88.0.13, role: control-plane, ssh: { address: three, user: ops } }
`,
  );
});
afterEach(async () => {
  await where.end();
  await Promise.all(servers.map((server) => server.stop()));
});

const run = (...options: string[]) =>
  runCommand(['ssh-check', file, ...options], { env: { HOME: where.home, SUDO_PW: 'canary' } });

describe('ssh-check', () => {
  test('shows each way with its sources, tries it, and fails when one fails', async () => {
    const { code, stdout } = await run();
    expect(code).toBe(1);
    const [first] = servers.map(({ port }) => port);
    expect(stdout).toMatch(/✓ cp-1 {2}logs in \(\d/);
    expect(stdout).toContain(
      `to         cp-1 at 127.0.0.1 port ${first}  (${where.home}/.ssh/config:2, ${where.home}/.ssh/config:3)`,
    );
    expect(stdout).toMatch(/ as +root {2}\(default\)/);
    expect(stdout).toMatch(new RegExp(`1\\. key ${where.keyFile}, ssh-ed25519 SHA256:\\S+ {2}\\(ssh\\.keyFiles\\)`));
    expect(stdout).toMatch(
      new RegExp(`host key +\\[127.0.0.1\\]:${first}: ssh-ed25519 SHA256:\\S+ \\(${where.knownHosts}:1\\)`),
    );
    expect(stdout).toMatch(/✗ cp-2 {2}KW221\n/);
    expect(stdout).toContain('ssh-keygen');
    expect(stdout).toMatch(/✗ cp-3 {2}KW241\n/);
    expect(stdout).toContain('three → four → three');
    expect(stdout).not.toContain('canary');
  });

  test('dials nobody with --offline', async () => {
    const { code, stdout } = await run('--offline');
    expect(code).toBe(1);
    expect(stdout).toMatch(/· cp-1 {2}not tried/);
    expect(stdout).toMatch(/✗ cp-3 {2}KW241/);
    expect(servers.map(({ accepted }) => accepted)).toEqual([0, 0]);
  });

  test('tells the same to programs, one object a host', async () => {
    const { code, objects } = await run('--json');
    expect(code).toBe(1);
    expect(objects.filter(({ type }) => type !== 'warning')).toMatchObject([
      {
        type: 'ssh',
        host: 'cp-1',
        ok: true,
        client: 'ssh2',
        sudo: 'not needed: root logs in',
        login: { durationMs: expect.any(Number) },
        hops: [
          {
            name: 'cp-1',
            address: { value: '127.0.0.1', source: `${where.home}/.ssh/config:2` },
            keys: [{ from: `key ${where.keyFile}`, source: 'ssh.keyFiles' }],
          },
        ],
      },
      { type: 'ssh', host: 'cp-2', ok: false, error: { code: 'KW221', hint: expect.any(String) } },
      { type: 'ssh', host: 'cp-3', ok: false, error: { code: 'KW241' } },
      { type: 'ssh-summary', cluster: 'demo', hosts: 3, failed: 2 },
      { type: 'end', exitCode: 1 },
    ]);
  });

  test('ends well when every host lets in', async () => {
    writeFileSync(where.knownHosts, '');
    for (const server of servers) where.trust(server);
    writeFileSync(
      path.join(where.home, '.ssh/config'),
      `Host one three\n  HostName 127.0.0.1\n  Port ${servers[0]?.port}\n  User root\n`,
    );
    writeFileSync(file, readFileSync(file, 'utf8').replace('user: ops', 'user: root'));
    const { code, stdout } = await run();
    expect(stdout.match(/✓/g)).toHaveLength(3);
    expect(code).toBe(0);
  });
});
