import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gatherHostFacts } from '../../../../src/activities/prepare/facts/index.js';
import type { RemoteHost } from '../../../../src/hosts/types.js';
import { facts, lay, machineWithout, makeHosts, output, program, QUESTIONS, rootOf } from './facts-host.js';

makeHosts();

describe('the facts of a host', () => {
  it('that is blank are few, and nothing of it is unknown', () => {
    const found = facts();
    expect(found).toMatchObject({ unknowns: [], leftovers: [], firewalls: [], proxies: [], services: [], files: [] });
    expect(found.danglingLinks).toEqual([]);
    expect(Math.abs(found.now - Date.now() / 1000)).toBeLessThan(100);
  });

  it('tell which run is changing it, none where there is none, and that it cannot be read', () => {
    expect(facts().lease).toBeUndefined();
    lay('/proc/uptime', '500.00 1.00\n');
    const lease = [
      'state=held',
      'holder=x cluster/demo',
      'run=r=1',
      'since=5',
      'renewed=5',
      'uptime=400',
      'boot=',
      'seconds=300',
    ];
    lay('/var/lib/kubewright/lease', `${lease.join('\n')}\n`);
    expect(facts().lease).toMatchObject({ state: 'held', holder: 'x cluster/demo', run: 'r=1', since: 5, left: 200 });
    lay('/var/lib/kubewright/lease', 'no lease\n');
    expect(facts().lease).toBe('unreadable');
  });

  it('say what could not be asked', () => {
    program('ss', 'exit 2');
    program('systemctl', 'exit 1');
    const whats = facts().unknowns.map(({ what, why }) => `${what}: ${why}`);
    expect(whats).toEqual(
      expect.arrayContaining([
        'the TCP ports in use: ss failed with exit code 2',
        'the UDP ports in use: ss failed with exit code 2',
        "systemd's environment: systemctl failed with exit code 1",
        'its units: systemctl failed with exit code 1',
      ]),
    );
  });

  it('name each tool that is not there', () => {
    expect(facts().missingTools).not.toContain('gzip');
    expect(facts(machineWithout('gzip')).missingTools).toContain('gzip');
  });

  it('that come cut short are asked again', async () => {
    const cut = { name: 'cp-1', run: async () => ({ stdout: 'kernel\tLinux\nport\t22' }) } as unknown as RemoteHost;
    await expect(gatherHostFacts(cut, QUESTIONS, new AbortController().signal)).rejects.toMatchObject({
      code: 'KW455',
      transient: true,
    });
  });

  it('have each listener, and each route', () => {
    program(
      'ss',
      `case $1 in
-Hltnp) echo 'LISTEN 0 128 0.0.0.0:8443 0.0.0.0:* users:(("haproxy",pid=7,fd=3),("haproxy",pid=8,fd=3))'
        echo 'LISTEN 0 128 10.0.0.5:8443 0.0.0.0:* users:(("nginx",pid=9,fd=3))' ;;
-Hlunp) echo 'UNCONN 0 0 0.0.0.0:8472 0.0.0.0:*' ;;
esac`,
    );
    program(
      'ip',
      `case "$*" in
*route*) printf '%s\\n' 'default via 10.88.0.1 dev eth0' '10.88.0.0/24 dev eth0 proto kernel scope link' \\
  '10.244.2.0/24 via 10.88.0.12 dev eth0' 'blackhole 10.99.0.0/16' ;;
*address*) echo '2: eth0@if7    inet 10.88.0.11/24 brd 10.88.0.255 scope global eth0' ;;
esac`,
    );
    lay('/sys/class/net/eth0/address', '02:00:00:00:00:11\n');
    const found = facts();
    expect(found.ports).toEqual([
      { port: 8443, process: 'haproxy' },
      { port: 8443, process: 'nginx' },
    ]);
    expect(found.udpPorts).toEqual([{ port: 8472, process: '' }]);
    expect(found.routes).toEqual([
      { network: '10.88.0.0/24', card: 'eth0' },
      { network: '10.244.2.0/24', card: 'eth0' },
      { network: '10.99.0.0/16', card: '' },
    ]);
    expect(found.addresses).toEqual([
      { card: 'eth0', address: '10.88.0.11', prefixLength: 24, mac: '02:00:00:00:00:11' },
    ]);
  });

  it('have the name servers of each file that may be the kubelet’s', () => {
    lay('/etc/resolv.conf', '# nameserver 1.1.1.1\nnameserver 127.0.0.53\nsearch example.org');
    lay('/etc/kubernetes/resolv.conf', 'nameserver 10.0.0.1\nnameserver 10.0.0.2');
    program(
      'systemctl',
      '[ "$*" = "is-active --quiet systemd-resolved" ] || case $1 in show-environment|list-unit-files) ;; *) exit 3 ;; esac',
    );
    const { nameServers } = facts();
    expect(nameServers.resolved).toBe(true);
    expect(Object.fromEntries(nameServers.byFile)).toEqual({
      '/etc/resolv.conf': ['127.0.0.53'],
      '/etc/kubernetes/resolv.conf': ['10.0.0.1', '10.0.0.2'],
    });
  });

  it('have the proxies of logins, of units and of apt, and never a password', () => {
    lay(
      '/etc/environment',
      'PATH="/bin"\nexport https_proxy="http://ada:p@ss@proxy:3128"\nNO_PROXY=localhost,10.0.0.0/8',
    );
    program(
      'systemctl',
      'case $1 in show-environment) echo HTTPS_PROXY=http://ada:secret@proxy:3128 ;; list-unit-files) ;; *) exit 3 ;; esac',
    );
    program('apt-config', 'echo \'Acquire::http::Proxy "http://ada:secret@apt:3128";\'');
    expect(output()).not.toMatch(/secret|p@ss|ada:/);
    expect(facts().proxies).toEqual([
      { source: 'login', name: 'https_proxy', value: 'http://proxy:3128' },
      { source: 'login', name: 'no_proxy', value: 'localhost,10.0.0.0/8' },
      { source: 'systemd', name: 'https_proxy', value: 'http://proxy:3128' },
      { source: 'packages', name: 'http_proxy', value: 'http://apt:3128' },
    ]);
  });

  it('have modules that a boot would not load', () => {
    lay(
      `/lib/modules/${execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim()}/modules.builtin`,
      'kernel/fs/overlay.ko\n',
    );
    program(
      'modprobe',
      `[ "$1" != --showconfig ] || printf '%s\\n' 'blacklist br-netfilter' 'install overlay /bin/false' \\
  'install vxlan /usr/bin/true' 'install wireguard /sbin/modprobe --ignore-install wireguard' 'alias a b'`,
    );
    expect(facts().blockedModules).toEqual([
      { module: 'br_netfilter', rule: 'blacklist br-netfilter' },
      { module: 'vxlan', rule: 'install vxlan /usr/bin/true' },
    ]);
  });

  it('tell configurations of others from those of packages and from ours', () => {
    lay('/etc/haproxy/haproxy.cfg', 'frontend mine\n');
    lay('/etc/keepalived/keepalived.conf', '# Written by Kubewright; the next install writes it anew.\n');
    lay('/etc/containerd/config.toml', 'version = 2\n');
    const digest = execFileSync('md5sum', { input: 'version = 2\n', encoding: 'utf8' }).split(' ')[0];
    program(
      'dpkg-query',
      `printf ' %s %s\\n' ${rootOf()}/etc/containerd/config.toml ${digest} ${rootOf()}/etc/haproxy/haproxy.cfg 0000`,
    );
    program(
      'systemctl',
      'case "$1 $2" in "is-active haproxy") echo active ;; "is-enabled keepalived") echo enabled ;; show-environment*|list-unit-files*) ;; *) echo inactive; exit 3 ;; esac',
    );
    const found = facts();
    expect(found.files).toEqual([
      { path: '/etc/haproxy/haproxy.cfg', state: 'foreign' },
      { path: '/etc/keepalived/keepalived.conf', state: 'ours' },
      { path: '/etc/containerd/config.toml', state: 'packaged' },
    ]);
    expect(found.services).toEqual([
      { name: 'haproxy', active: true },
      { name: 'keepalived', active: false },
    ]);
  });

  it('count containers, and know the version of containerd that is there or would come', () => {
    for (const task of ['k8s.io/a', 'k8s.io/b', 'moby/c'])
      mkdirSync(join(rootOf(), 'run/containerd/io.containerd.runtime.v2.task', task), { recursive: true });
    mkdirSync(join(rootOf(), 'var/lib/docker/containers/d'), { recursive: true });
    program('apt-cache', `printf '%s\\n' containerd: '  Installed: (none)' '  Candidate: 1.7.24-0ubuntu1~22.04.2'`);
    expect(facts().runtime).toEqual({ state: 'candidate', version: '1.7.24', program: '' });
    program('containerd', 'echo containerd containerd.io 1.4.13 7ad184');
    const found = facts();
    expect(found.runtime).toEqual({ state: 'installed', version: '1.4.13', program: '' });
    expect(found.containers).toEqual([
      { namespace: 'k8s.io', count: 2 },
      { namespace: 'moby', count: 1 },
      { namespace: 'docker', count: 1 },
    ]);
  });

  it('come of dnf and rpm on a host of their family, and of neither on a host of another', () => {
    const debians = { 'apt-config': 'apt', 'apt-cache': 'apt', 'dpkg-query': 'dpkg' };
    for (const [name, said] of Object.entries(debians)) program(name, `echo ${said} >>${rootOf()}/asked`);
    lay('/etc/haproxy/haproxy.cfg', 'frontend a\n');
    lay('/etc/keepalived/keepalived.conf', 'vrrp\n');
    lay('/etc/containerd/config.toml', 'version = 2\n');
    lay('/etc/dnf/dnf.conf', '[main]\nproxy = http://ada:secret@dnf:3128\nproxy_password=secret\n');
    program(
      'rpm',
      `echo rpm >>${rootOf()}/asked
case "$* " in
'-qf '*containerd*) echo 'file is not owned by any package'; exit 1 ;;
'-qf '*) echo owner ;;
-Vf*haproxy*) echo 'S.5....T.  c ${rootOf()}/etc/haproxy/haproxy.cfg'; exit 1 ;;
-Vf*) echo '.M.....T.  c ${rootOf()}/etc/keepalived/keepalived.conf'; exit 1 ;;
esac`,
    );
    lay('/etc/os-release', 'ID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n');
    const found = facts();
    expect(found.files).toEqual([
      { path: '/etc/haproxy/haproxy.cfg', state: 'foreign' },
      { path: '/etc/keepalived/keepalived.conf', state: 'packaged' },
      { path: '/etc/containerd/config.toml', state: 'foreign' },
    ]);
    expect(found.proxies).toEqual([{ source: 'packages', name: 'http_proxy', value: 'http://dnf:3128' }]);
    expect(found).toMatchObject({ runtime: { state: 'candidate', version: undefined }, unknowns: [] });
    expect(new Set(readFileSync(join(rootOf(), 'asked'), 'utf8').trim().split('\n'))).toEqual(new Set(['rpm']));
    lay('/asked');
    lay('/etc/os-release', 'ID=arch\n');
    expect(facts()).toMatchObject({
      proxies: [],
      unknowns: [],
      files: found.files.map(({ path }) => ({ path, state: 'foreign' })),
    });
    expect(readFileSync(join(rootOf(), 'asked'), 'utf8')).toBe('');
  });

  it('tell whether SELinux is enforcing', () => {
    expect(facts().selinuxEnforcing).toBe(false);
    lay('/sys/fs/selinux/enforce', '0');
    expect(facts().selinuxEnforcing).toBe(false);
    lay('/sys/fs/selinux/enforce', '1');
    expect(facts().selinuxEnforcing).toBe(true);
  });

  it('have the end of certificates, also of those inside of kubeconfigs', () => {
    mkdirSync(join(rootOf(), 'etc/kubernetes/pki'), { recursive: true });
    const path = join(rootOf(), 'etc/kubernetes/pki/apiserver.crt');
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-subj',
        '/CN=x',
        '-days',
        '10',
        '-keyout',
        '/dev/null',
        '-out',
        path,
      ],
      { stdio: 'ignore' },
    );
    const base64 = execFileSync('base64', ['-w', '0', path], { encoding: 'utf8' });
    lay('/etc/kubernetes/admin.conf', `users:\n- user:\n    client-certificate-data: ${base64}\n`);
    lay('/etc/kubernetes/pki/front-proxy-ca.crt', 'not a certificate');
    const found = facts();
    expect(found.certificates.map(({ path: name }) => name)).toEqual([
      '/etc/kubernetes/pki/apiserver.crt',
      '/etc/kubernetes/admin.conf',
    ]);
    for (const { end } of found.certificates) expect(Math.round((end - found.now) / 86_400)).toBe(10);
    expect(found.unknowns.map(({ what }) => what)).toEqual(['when /etc/kubernetes/pki/front-proxy-ca.crt ends']);
  });

  it('see links to nowhere and mounts from which nothing runs', () => {
    mkdirSync(join(rootOf(), 'var/lib/containerd'), { recursive: true });
    symlinkSync('/nowhere', join(rootOf(), 'var/lib/etcd'));
    program('findmnt', 'echo rw,nosuid,noexec');
    const found = facts();
    expect(found.danglingLinks).toEqual([{ path: '/var/lib/etcd', target: '/nowhere' }]);
    expect(found.noexec.map(({ folder }) => folder)).toContain('/var/lib/containerd');
  });
});
