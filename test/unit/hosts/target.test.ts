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
  return resolveTarget(host, { env, homeDirectory: home, systemSshDirectory: path.join(home, 'etc') });
}

const ways = (target: Target): string[] => target.hops.map(({ user, address, port }) => `${user}@${address}:${port}`);

describe('without a configuration file', () => {
  test('cluster.yaml and the usual keys count; that the default file is missing is no error', () => {
    const target = resolve(undefined, {}, { SSH_AUTH_SOCK: '/run/agent' });
    expect(ways(target)).toEqual(['root@10.0.0.11:22']);
    expect(target.hops[0]).toMatchObject({
      agent: '/run/agent',
      knownHostsFiles: [`${home}/.ssh/known_hosts`, `${home}/.ssh/known_hosts2`],
      globalKnownHostsFiles: [`${home}/etc/ssh_known_hosts`, `${home}/etc/ssh_known_hosts2`],
      identities: {
        files: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => ({
          value: `${home}/.ssh/${name}`,
          source: 'default',
        })),
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
        identities: {
          files: [{ value: `${home}/.ssh/lab_10.0.0.11`, source: `${home}/.ssh/config:5` }],
          required: false,
          only: true,
        },
        knownHostsFiles: [`${home}/.ssh/lab_known`, `${home}/.ssh/more_known`],
      }),
    ]);
  });

  test('loses against what cluster.yaml sets', () => {
    const target = resolve(CONFIG, { user: 'ops', port: 2200, keyFiles: ['~/k'], knownHostsFile: '/etc/known' });
    expect(ways(target)).toEqual(['ops@10.0.0.11:2200']);
    expect(target.hops[0]).toMatchObject({
      identities: { files: [{ value: `${home}/k`, source: 'ssh.keyFiles' }], required: true },
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

  test('never runs a command: what depends on Match exec is refused, and only that', () => {
    const marker = path.join(home, 'ran');
    const exec = `Match exec "touch ${marker}"\n`;
    expect(() => resolve(`${exec}  User evil\n`)).toThrow(
      expect.objectContaining({
        code: 'KW240',
        message: expect.stringContaining(`${home}/.ssh/config:1: whether \`Match exec\` holds`),
        hint: expect.stringContaining('ssh.client: openssh'),
      }),
    );
    expect(ways(resolve(`User good\n${exec}  User evil\n  ForwardAgent yes\n`))).toEqual(['good@10.0.0.11:22']);
    expect(ways(resolve(`Match host other exec "touch ${marker}"\n  User evil\n`))).toEqual(['root@10.0.0.11:22']);
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

  test('names its files by tokens and variables', () => {
    const config = `Host cp-alias
  HostName 10.9.9.9
  User ops
  Port 7
  IdentityAgent %d/.1password/agent.sock
  IdentityFile \${KEYS}/%n-%h-%p-%r-%%
  UserKnownHostsFile ~/.ssh/known_hosts.d/%k "~/my hosts"
  GlobalKnownHostsFile none
`;
    expect(resolve(config, { address: 'cp-alias' }, { KEYS: '/keys' }).hops[0]).toMatchObject({
      agent: `${home}/.1password/agent.sock`,
      identities: { files: [{ value: '/keys/cp-alias-10.9.9.9-7-ops-%', source: `${home}/.ssh/config:6` }] },
      knownHostsFiles: [`${home}/.ssh/known_hosts.d/cp-alias`, `${home}/my hosts`],
      globalKnownHostsFiles: [],
    });
    const socket = `IdentityAgent \${XDG_RUNTIME_DIR}/yubikey-agent/yubikey-agent.sock\n`;
    expect(resolve(socket, {}, { XDG_RUNTIME_DIR: '/run/user/0' }).hops[0]?.agent).toBe(
      '/run/user/0/yubikey-agent/yubikey-agent.sock',
    );
    expect(() => resolve(socket)).toThrow(
      expect.objectContaining({
        code: 'KW240',
        message: expect.stringContaining(`${home}/.ssh/config:1: the variable`),
      }),
    );
    expect(() => resolve('IdentityFile %C\n')).toThrow(expect.objectContaining({ code: 'KW240' }));
  });

  test('that wants no known_hosts file has none', () => {
    expect(resolve('UserKnownHostsFile none\n').hops[0]?.knownHostsFiles).toEqual([]);
    expect(resolve('UserKnownHostsFile none\n', { knownHostsFile: '/mine' }).hops[0]?.knownHostsFiles).toEqual([
      '/mine',
    ]);
  });

  test("is followed by the system's, which a file of one's own stands without, as with ssh -F", () => {
    mkdirSync(path.join(home, 'etc'));
    writeFileSync(path.join(home, 'etc/ssh_config'), 'Host *\n  User company\n  Port 2222\n');
    writeFileSync(path.join(home, 'own'), 'Port 7\n');
    expect(ways(resolve('User mine\n'))).toEqual(['mine@10.0.0.11:2222']);
    expect(ways(resolve(undefined, { configFile: `${home}/own` }))).toEqual(['root@10.0.0.11:7']);
    expect(ways(resolve('User mine\n', { configFile: null }))).toEqual(['root@10.0.0.11:22']);
  });

  test('says where everything comes from', () => {
    expect(resolve('Host *\n  User ops\n', { port: 7 }).hops[0]?.sources).toMatchObject({
      user: `${home}/.ssh/config:2`,
      port: 'ssh.port',
      knownHosts: 'default',
      agent: '$SSH_AUTH_SOCK',
    });
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

  const CHAIN = `Host 10.0.0.*
  User ops
  ProxyJump inner
Host inner
  HostName 10.88.1.2
  User ops
  ProxyJump outer
Host outer
  HostName 203.0.113.9
  Port 2222
  User ops
`;

  test('are reached through their own jump hosts, from the file and from cluster.yaml', () => {
    const route = ['ops@203.0.113.9:2222', 'ops@10.88.1.2:22', 'ops@10.0.0.11:22'];
    expect(ways(resolve(CHAIN))).toEqual(route);
    expect(ways(resolve(CHAIN, { bastion: { ...bastion, address: 'inner' } }))).toEqual(route);
  });

  test('of a list are reached through those before them, and the first its own way', () => {
    // As `ssh -J`: inner is reached through side, whatever its own ProxyJump says; side through outer.
    const config = `${CHAIN.replace('ProxyJump inner', 'ProxyJump side,inner')}Host side\n  ProxyJump outer\n  User x\n`;
    expect(ways(resolve(config))).toEqual([
      'ops@203.0.113.9:2222',
      'x@side:22',
      'ops@10.88.1.2:22',
      'ops@10.0.0.11:22',
    ]);
  });

  test.each([
    ['each other', 'Host 10.0.0.*\n  ProxyJump a\nHost a\n  ProxyJump b\nHost b\n  ProxyJump a\n', 'a → b → a'],
    ['themselves', 'Host *\n  ProxyJump a\n', 'a → a'],
    ['the host', 'Host *\n  ProxyJump 10.0.0.11\n', '10.0.0.11 → 10.0.0.11'],
  ])('that name %s are KW241', (_title, config, circle) => {
    expect(() => resolve(config)).toThrow(
      expect.objectContaining({
        code: 'KW241',
        transient: false,
        message: expect.stringMatching(new RegExp(`circle: .*${circle} \\(.*config:\\d+\\)$`)),
      }),
    );
  });

  test('whose names grow without end are KW241', () => {
    expect(() => resolve('ProxyJump x%h\n')).toThrow(expect.objectContaining({ code: 'KW241' }));
  });

  test('may have the address of the host, at another port', () => {
    const same = { ...bastion, address: '10.0.0.11', port: 2222 };
    expect(ways(resolve(undefined, { bastion: same }))).toEqual(['root@10.0.0.11:2222', 'root@10.0.0.11:22']);
  });

  test('ProxyJump none is none', () => {
    expect(ways(resolve('ProxyJump none\n'))).toEqual(['root@10.0.0.11:22']);
  });

  test('a ProxyCommand is refused, not run', () => {
    expect(() => resolve('ProxyCommand touch /tmp/x\n')).toThrow(expect.objectContaining({ code: 'KW240' }));
    expect(ways(resolve('Host 10.0.0.11\n  ProxyCommand nc %h %p\n', { bastion })).length).toBe(2);
  });
});
