import { describe, expect, test } from 'vitest';
import type { SshSettings } from '../../../../src/cluster/types.js';
import {
  agentOf,
  configuration,
  destinationArgs,
  readEvaluated,
} from '../../../../src/hosts/connection/openssh/options.js';
import { environmentFor, isAtLeast, parseVersion } from '../../../../src/hosts/connection/openssh/program.js';
import { wayTo } from '../../../../src/hosts/connection/openssh/way.js';
import { clusterOf } from '../../cluster-fixture.js';

const DEFAULTS: SshSettings = {
  address: 'cp-alias',
  port: 22,
  user: 'root',
  keyFiles: [],
  agent: true,
  configFile: '~/.ssh/config',
  knownHostsFile: '~/.ssh/known_hosts',
  hostKeys: 'strict',
  bastion: null,
  sudoPasswordEnv: null,
};

function way(ssh: Partial<SshSettings> = {}) {
  const [host] = clusterOf({ controlPlanes: 1, workers: 0 }).hosts;
  if (host === undefined) throw new Error('no host');
  return wayTo({ ...host, ssh: { ...DEFAULTS, ...ssh } }, '/home/ada');
}

function last(ssh: Partial<SshSettings> = {}) {
  const hop = way(ssh).at(-1);
  if (hop === undefined) throw new Error('no hop');
  return hop;
}

describe('what cluster.yaml leaves open', () => {
  test('is left to the configuration: no user, port, key or known_hosts is handed over', () => {
    expect(destinationArgs(last(), '/d/config', undefined)).toEqual(['-F', '/d/config']);
    expect(
      configuration(last(), { userConfig: '/d/1.user', systemConfig: '/etc/ssh/ssh_config' }),
    ).toBe(`# Written by Kubewright for one connection; gone with it.
Host *
  BatchMode yes
  UpdateHostKeys no
  StrictHostKeyChecking yes
Match all
Include /d/1.user
Include /etc/ssh/ssh_config
Host cp-alias
  User root
Host *
  ConnectTimeout 10
`);
  });

  test('and what it sets wins, a default that it writes out too', () => {
    const pinned = last({ pinned: ['user', 'port', 'knownHostsFile'] });
    expect(destinationArgs(pinned, '/c', undefined)).toEqual(['-F', '/c', '-l', 'root', '-p', '22']);
    expect(configuration(pinned, { userConfig: undefined, systemConfig: undefined })).toContain(
      'UserKnownHostsFile "/home/ada/.ssh/known_hosts"',
    );
    const set = last({
      user: 'ops',
      port: 2200,
      keyFiles: ['~/my key', '/100%'],
      agent: false,
      hostKeys: 'accept-new',
    });
    expect(destinationArgs(set, '/c', 'p')).toEqual([
      '-F',
      '/c',
      '-l',
      'ops',
      '-p',
      '2200',
      '-i',
      '/home/ada/my key',
      '-i',
      '/100%%',
      '-o',
      'ProxyCommand=p',
    ]);
    const text = configuration(set, { userConfig: undefined, systemConfig: undefined });
    expect(text).toMatch(/StrictHostKeyChecking accept-new\n {2}IdentityAgent none\n/);
  });
});

describe('a value that ssh would take for something else is KW240', () => {
  test.each<[string, Partial<SshSettings>]>([
    ['an address that is an option', { address: '-oProxyCommand=touch /tmp/x' }],
    ['an address with a user in it', { address: 'root@cp' }],
    ['an address with a space', { address: 'cp -v' }],
    ['a user that is an option', { user: '-v' }],
    ['a key file with a quote', { keyFiles: ['/k"'] }],
    ['a known_hosts with a line end', { knownHostsFile: '/k\nProxyCommand x' }],
    ['a known_hosts with a variable', { knownHostsFile: '/k$HOME' }],
    ['a bastion that is an option', { bastion: { address: '-D1', port: 22, user: 'root', keyFiles: [] } }],
  ])('%s', (_title, ssh) => {
    expect(() => way(ssh)).toThrow(expect.objectContaining({ code: 'KW240', transient: false }));
  });
});

test('the environment holds what ssh needs, asks nobody, and nothing else of the worker', () => {
  const env = environmentFor({
    PATH: '/bin',
    HOME: '/h',
    SSH_AUTH_SOCK: '/a',
    SUDO_PW: 'x',
    DISPLAY: ':0',
    SSH_ASKPASS: 'p',
  });
  expect(env).toEqual({ PATH: '/bin', HOME: '/h', SSH_AUTH_SOCK: '/a', LC_ALL: 'C', SSH_ASKPASS_REQUIRE: 'never' });
});

test.each([
  ['OpenSSH_9.2p1 Debian-2+deb12u6, OpenSSL 3.0.19 27 Jan 2026', 'OpenSSH_9.2p1', true],
  ['OpenSSH_10.0p2, LibreSSL 3.3.6', 'OpenSSH_10.0p2', true],
  ['OpenSSH_8.0p1, OpenSSL 1.1.1k', 'OpenSSH_8.0p1', true],
  ['OpenSSH_7.9p1 Debian-10', 'OpenSSH_7.9p1', false],
])('%j is %s', (words, text, isEnough) => {
  const version = parseVersion(words);
  expect(version?.text).toBe(text);
  expect(version && isAtLeast(version, 8, 0)).toBe(isEnough);
});

test('what is not OpenSSH has no version', () => {
  expect(parseVersion('Dropbear v2022.83')).toBeUndefined();
  expect(parseVersion('')).toBeUndefined();
});

describe('what ssh -G says', () => {
  test('tells user, address, port, proxy and agent', () => {
    const at = readEvaluated(
      'host cp\nuser ada\nhostname 192.0.2.7\nport 2222\nconnecttimeout none\nproxycommand /usr/bin/aws ssm x\nidentityagent $A\n',
    );
    expect(at).toMatchObject({
      user: 'ada',
      address: '192.0.2.7',
      port: 2222,
      connectSeconds: 10,
      proxy: { kind: 'ProxyCommand', what: '/usr/bin/aws' },
    });
    expect(agentOf(at, { A: '/agent', SSH_AUTH_SOCK: '/other' })).toBe('/agent');
  });

  test('a proxy of none is none, and so is an agent', () => {
    const at = readEvaluated('proxycommand none\nproxyjump none\nidentityagent none\n');
    expect(at.proxy).toBeUndefined();
    expect(agentOf(at, { SSH_AUTH_SOCK: '/a' })).toBeNull();
  });
});
