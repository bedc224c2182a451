import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClusterHost, SshSettings } from '../../../src/cluster/types.js';
import { resolveTarget, type Target } from '../../../src/hosts/connection/target.js';
import { clusterOf } from '../cluster-fixture.js';

let home: string;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'kubewright-target-'));
  mkdirSync(path.join(home, '.ssh'));
});
afterEach(() => rmSync(home, { recursive: true }));

function resolve(config: string | undefined, ssh: Partial<SshSettings> = {}, env: NodeJS.ProcessEnv = {}): Target {
  if (config !== undefined) writeFileSync(path.join(home, '.ssh/config'), config);
  const host = clusterOf({ controlPlanes: 1, workers: 0 }).hosts[0] as ClusterHost;
  host.ssh = {
    address: '10.0.0.11',
    port: 22,
    user: 'root',
    keyFiles: [],
    agent: true,
    configFile: '~/.ssh/config',
    knownHostsFile: '~/.ssh/known_hosts',
    hostKeys: 'strict',
    bastion: null,
    sudoPasswordEnv: null,
    ...ssh,
  };
  return resolveTarget(host, { env, homeDirectory: home });
}

const ways = (target: Target): string[] => target.hops.map(({ user, address, port }) => `${user}@${address}:${port}`);

describe('without a configuration file', () => {
  test('cluster.yaml and the usual keys count; that the default file is missing is no error', () => {
    const target = resolve(undefined, {}, { SSH_AUTH_SOCK: '/run/agent' });
    expect(ways(target)).toEqual(['root@10.0.0.11:22']);
    expect(target.hops[0]).toMatchObject({
      agent: '/run/agent',
      knownHostsFiles: [`${home}/.ssh/known_hosts`],
      identities: {
        files: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => `${home}/.ssh/${name}`),
        required: false,
      },
    });
  });

  test('a file that cluster.yaml names must be there', () => {
    expect(() => resolve(undefined, { configFile: `${home}/mine` })).toThrow(
      expect.objectContaining({
        code: 'KW240',
        host: 'cp-1',
        transient: false,
        message: expect.stringContaining(`${home}/mine`),
      }),
    );
  });
});

describe('~/.ssh/config', () => {
  const CONFIG = `
Host 10.0.0.*
  User admin
  Port 2222
  IdentityFile ~/.ssh/lab_%h
  IdentitiesOnly yes
  UserKnownHostsFile ~/.ssh/lab_known ~/.ssh/more_known
Host cp-alias
  HostName 10.9.9.9
  HostKeyAlias the-name
`;

  test('fills in what cluster.yaml leaves at its default', () => {
    expect(resolve(CONFIG).hops).toEqual([
      expect.objectContaining({
        user: 'admin',
        port: 2222,
        identities: { files: [`${home}/.ssh/lab_10.0.0.11`], required: false, only: true },
        knownHostsFiles: [`${home}/.ssh/lab_known`, `${home}/.ssh/more_known`],
      }),
    ]);
  });

  test('loses against what cluster.yaml sets', () => {
    const target = resolve(CONFIG, { user: 'ops', port: 2200, keyFiles: ['~/k'], knownHostsFile: '/etc/known' });
    expect(ways(target)).toEqual(['ops@10.0.0.11:2200']);
    expect(target.hops[0]).toMatchObject({
      identities: { files: [`${home}/k`], required: true },
      knownHostsFiles: ['/etc/known'],
    });
  });

  test('loses against a default that cluster.yaml writes out', () => {
    expect(ways(resolve(CONFIG, { pinned: ['user', 'port'] }))).toEqual(['root@10.0.0.11:22']);
  });

  test('gives a name its address, and another name for known_hosts', () => {
    const target = resolve(CONFIG, { address: 'cp-alias' });
    expect(target.hops).toEqual([
      expect.objectContaining({ address: '10.9.9.9', hostKeyAlias: 'the-name', label: 'cp-1' }),
    ]);
  });

  test('never runs a command: Match exec does not match', () => {
    const marker = path.join(home, 'ran');
    const target = resolve(`Match exec "touch ${marker}"\n  User evil\n`);
    expect(ways(target)).toEqual(['root@10.0.0.11:22']);
    expect(() => rmSync(marker)).toThrow();
  });

  test('follows Include, wildcards too, and goes on behind it', () => {
    mkdirSync(path.join(home, '.ssh/config.d'));
    writeFileSync(path.join(home, '.ssh/config.d/10-lab'), 'Host 10.0.0.11\n  Port 2201\n');
    writeFileSync(path.join(home, '.ssh/config.d/20-other'), 'Host 10.7.7.7\n  User wrong\n');
    const target = resolve('Include config.d/*\nInclude nothing-there\nUser behind\n');
    expect(ways(target)).toEqual(['behind@10.0.0.11:2201']);
  });

  test('an Include inside of a block counts for that block', () => {
    writeFileSync(path.join(home, '.ssh/part'), 'Port 2201\n');
    expect(ways(resolve('Host 10.8.8.8\n  Include part\n  User wrong\n'))).toEqual(['root@10.0.0.11:22']);
    expect(ways(resolve('Host 10.0.0.11\n  Include part\n  User right\n'))).toEqual(['right@10.0.0.11:2201']);
  });

  test('that includes itself is refused', () => {
    expect(() => resolve('Include config\n')).toThrow(expect.objectContaining({ code: 'KW240' }));
  });

  test('names an agent, or none', () => {
    const env = { SSH_AUTH_SOCK: '/run/agent', OTHER: '/run/other' };
    const agent = (config: string, ssh: Partial<SshSettings> = {}) => resolve(config, ssh, env).hops[0]?.agent;
    expect(agent('')).toBe('/run/agent');
    expect(agent('IdentityAgent ~/agent')).toBe(`${home}/agent`);
    expect(agent('IdentityAgent $OTHER')).toBe('/run/other');
    expect(agent('IdentityAgent none')).toBeNull();
    expect(agent('IdentityAgent ~/agent', { agent: false })).toBeNull();
  });
});

describe('bastions', () => {
  const bastion = { address: 'gate', port: 22, user: 'root', keyFiles: ['~/gate_key'] };

  test('come from cluster.yaml first, and are looked up in the configuration as well', () => {
    const config = 'Host gate\n  HostName 192.0.2.1\n  Port 2022\nHost 10.0.0.11\n  ProxyJump elsewhere\n';
    expect(ways(resolve(config, { bastion }))).toEqual(['root@192.0.2.1:2022', 'root@10.0.0.11:22']);
  });

  test('come from ProxyJump, several in their order', () => {
    const config = 'Host 10.0.0.11\n  ProxyJump jim@outer:2022, inner\nHost inner\n  HostName 192.0.2.7\n  User jane\n';
    const target = resolve(config);
    expect(ways(target)).toEqual(['jim@outer:2022', 'jane@192.0.2.7:22', 'root@10.0.0.11:22']);
    expect(target.hops.map(({ label }) => label)).toEqual(['bastion outer', 'bastion inner', 'cp-1']);
  });

  test('ProxyJump none is none', () => {
    expect(ways(resolve('ProxyJump none\n'))).toEqual(['root@10.0.0.11:22']);
  });

  test('a ProxyCommand is refused, not run', () => {
    expect(() => resolve('ProxyCommand touch /tmp/x\n')).toThrow(expect.objectContaining({ code: 'KW240' }));
    expect(ways(resolve('ProxyCommand nc %h %p\n', { bastion })).length).toBe(2);
  });
});
