import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';
import type { Cluster } from '../../src/cluster/types.js';
import {
  type DistributionFamily,
  type PackageGoal,
  packageFactsScript,
  parsePackageFacts,
} from '../../src/components/distribution/index.js';
import { type PackageNeeds, packageNeeds } from '../../src/components/packages.js';
import { clusterOfLab } from './lab-hosts.js';

/**
 * What the family of RHEL says and does, with the real dnf and rpm: Debian has both as packages, and packages for them are made
 * here. The host calls itself a Rocky Linux; of the distribution's own packages nothing is shown.
 */
let lab: Lab;
let host: LabHost;
let cluster: Cluster;
let needs: PackageNeeds;
let family: DistributionFamily;

const PREPARE = `set -e
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends dnf dnf-plugins-core rpm createrepo-c >/dev/null
# As on RHEL 9, whose dnf 4.14 this is too; Debian has its database in the home directory.
mkdir -p /etc/rpm
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
printf '[main]\\ngpgcheck=0\\nbest=True\\nskip_if_unavailable=False\\n' >/etc/dnf/dnf.conf
printf '[main]\\nenabled=0\\n' >/etc/dnf/plugins/local.conf
printf 'ID="rocky"\\nID_LIKE="rhel centos fedora"\\nVERSION_ID="9.4"\\nPRETTY_NAME="Rocky Linux 9.4"\\n' >/root/os-release
ln -sf /root/os-release /etc/os-release
mkdir -p /srv/specs /srv/repo /etc/yum.repos.d
make() {
  cat >"/srv/specs/$1-$2.spec" <<SPEC
Name: $1
Version: $2
Release: 1
Summary: $1
License: none
BuildArch: noarch
$3
%description
$1
%install
mkdir -p %{buildroot}/etc/$1
echo $2 >%{buildroot}/etc/$1/$1.cfg
%files
%config(noreplace) /etc/$1/$1.cfg
SPEC
  rpmbuild -bb --quiet --define '_topdir /srv/build' --define '_rpmdir /srv/repo' "/srv/specs/$1-$2.spec"
}
make haproxy 2.4.22; make haproxy 2.6.0; make keepalived 2.2.8; make ipvsadm 1.31
make iptables-nft 1.8.10 'Provides: iptables = 1.8.10'; make curl-minimal 7.76 'Provides: curl'
make util-linux 2.37; make openssl 3.0; make containerd 1.7.1; make containerd 1.7.9; make runc 1.1; make python3-dnf-plugin-versionlock 4.3
createrepo_c -q /srv/repo
printf '[local]\\nname=local\\nbaseurl=file:///srv/repo\\nmetadata_expire=1d\\n' >/etc/yum.repos.d/local.repo
dnf -q -y install haproxy-2.4.22 curl-minimal containerd-1.7.1`;

beforeAll(async () => {
  lab = await labUp({ name: 'dnf', hosts: 1, replace: true });
  host = lab.host('cp-1');
  cluster = {
    ...(await clusterOfLab(lab)),
    runtime: { type: 'containerd', source: 'distribution', config: {} },
    loadBalancer: { type: 'haproxy-keepalived', source: 'distribution' } as Cluster['loadBalancer'],
  };
  needs = packageNeeds(cluster, ['control-plane']);
  const prepared = await host.exec(PREPARE, { timeoutMs: 300_000, allowFailure: true });
  expect(prepared, prepared.stderr).toMatchObject({ exitCode: 0 });
  ({ family } = await look());
});

afterAll(async () => {
  await lab?.down();
});

/** Runs a script as the steps do; its failure is an answer too. */
async function run(script: string): Promise<{ code: number; output: string }> {
  const { stdout } = await host.exec(
    `base64 -d >/root/script <<<${Buffer.from(script).toString('base64')}
code=0; bash -euo pipefail /root/script 2>&1 || code=$?
echo "exit code $code"`,
    { timeoutMs: 180_000 },
  );
  const [, output = '', code] = /^(.*)exit code (\d+)\s*$/s.exec(stdout) ?? [];
  return { code: Number(code), output };
}

async function look() {
  const { code, output } = await run(packageFactsScript(packageNeeds(cluster)));
  expect(code).toBe(0);
  return parsePackageFacts(output);
}

const install = (goal: Partial<PackageGoal>, proxy: string | null = null) =>
  run(family.installScript({ install: [], hold: [], units: [], ...goal }, proxy));

const stateOf = async (name: string) => (await look()).present.packages.find((each) => each.name === name);

describe('the real dnf and rpm', () => {
  test('say what is there, by whoever provides it, and what is missing', async () => {
    const { present } = await look();
    expect(present.packages).toEqual([
      { name: 'containerd', version: '1.7.1-1', installed: true, held: false },
      { name: 'haproxy', version: '2.4.22-1', installed: true, held: false },
    ]);
    const asked = await run(family.factsScript({ ...needs, install: ['curl', 'nothing-of-this-name'] }));
    expect(asked.output).toContain('package\tcurl\t7.76-1\tfree');
    expect(asked.output).not.toContain('nothing-of-this-name');
  });

  test('install what is missing, upgrade nothing that is there, and hold; a second time is none', async () => {
    const { present } = await look();
    const goal = family.goal('control-plane', needs, present);
    const first = await install(goal);
    expect(first).toMatchObject({ code: 0, output: expect.stringContaining('iptables-nft') });
    const after = (await look()).present;
    const versions = new Map(after.packages.map(({ name, version }) => [name, version]));
    expect(goal.install.filter((name) => !versions.has(name))).toEqual([]);
    expect(versions.get('haproxy')).toBe('2.4.22-1');
    expect(versions.get('containerd')).toBe('1.7.1-1');
    expect(versions.get('iptables')).toBe('1.8.10-1');
    expect(after.packages.filter(({ held }) => held).map(({ name }) => name)).toEqual(goal.hold);
    // What the lock is for: an upgrade of the system takes the one and leaves the other.
    await host.exec('dnf -q -y upgrade');
    expect((await stateOf('containerd'))?.version).toBe('1.7.1-1');
    expect((await stateOf('haproxy'))?.version).toBe('2.6.0-1');
    const again = await install(goal);
    expect(again.code).toBe(0);
    expect(again.output).not.toMatch(/Installing|Upgrading/);
    expect((await host.exec('grep -c ^containerd- /etc/dnf/plugins/versionlock.list')).stdout.trim()).toBe('1');
  });

  test('tell a configuration that somebody has edited from one that a package brought', async () => {
    const asked = `${family.hostFacts([])}
for path in /etc/haproxy/haproxy.cfg /etc/keepalived/keepalived.cfg /etc/hostname; do
  if packaged "$path"; then echo "$path yes"; else echo "$path no"; fi
done
package_proxies`;
    await host.exec('echo mine >>/etc/haproxy/haproxy.cfg; chmod 600 /etc/keepalived/keepalived.cfg');
    expect((await run(asked)).output.trim().split('\n')).toEqual([
      '/etc/haproxy/haproxy.cfg no',
      '/etc/keepalived/keepalived.cfg yes',
      '/etc/hostname no',
    ]);
  });

  test('wait for another dnf that holds the lock', async () => {
    const hold = (lock: string) =>
      host.exec(`systemd-run --quiet --collect --unit locker python3 -c "
import dnf.lock, time
with ${lock}: open('/root/locked', 'w').close(); time.sleep(2)"
until [ -e /root/locked ]; do sleep 0.1; done; rm /root/locked`);
    for (const lock of [
      "dnf.lock.build_metadata_lock('/var/cache/dnf', True)",
      "dnf.lock.build_rpmdb_lock('/var/lib/dnf', True)",
    ]) {
      await host.exec('rpm -e ipvsadm || true');
      await hold(lock);
      const { code, output } = await install({ install: ['ipvsadm'] });
      expect(output).toContain('kubewright: waiting for another package manager to finish');
      expect(code).toBe(0);
    }
    await host.exec('rpm -q ipvsadm');
  });

  test('know a package that was published after the metadata was fetched', async () => {
    await host.exec(`rpm -e ipvsadm; mv /srv/repo/noarch/ipvsadm-*.rpm /root; createrepo_c -q /srv/repo; dnf -q clean all; dnf -q makecache
mv /root/ipvsadm-*.rpm /srv/repo/noarch; createrepo_c -q /srv/repo`);
    expect((await install({ install: ['ipvsadm'] })).code).toBe(0);
    await host.exec('rpm -q ipvsadm');
  });

  test('explain what failed: no such package, no repository, a mirror that is away, a signature, a full disk', async () => {
    const failure = async (repository: string, names: string[], before = ':') => {
      await host.exec(
        `dnf -q clean all; printf '[local]\\nname=local\\n${repository}' >/etc/yum.repos.d/local.repo; ${before}`,
      );
      const { code, output } = await install({ install: names });
      expect(code).not.toBe(0);
      return family.explain(output);
    };
    const here = 'baseurl=file:///srv/repo\\n';
    expect(await failure(here, ['keepalived', 'conntrack', 'nfs-utils'])).toMatchObject({
      code: 'KW445',
      message: expect.stringMatching(/conntrack, nfs-utils$/),
    });
    expect(await failure(`${here}enabled=0\\n`, ['conntrack'])).toMatchObject({
      code: 'KW445',
      hint: expect.stringContaining('subscription-manager register'),
    });
    const away = ['file:///nowhere', 'http://no-such-host.invalid/repo', 'https://127.0.0.1:9/repo'];
    for (const url of away) expect(await failure(`baseurl=${url}\\n`, ['conntrack'])).toMatchObject({ code: 'KW444' });
    // A configuration that passes over such a repository leaves the package unfound, for the same reason.
    const passedOver = await failure('baseurl=file:///nowhere\\nskip_if_unavailable=1\\n', ['conntrack']);
    expect(passedOver).toMatchObject({ code: 'KW444' });
    await host.exec('rpm -e ipvsadm');
    expect(await failure(`${here}gpgcheck=1\\n`, ['ipvsadm'])).toMatchObject({
      code: 'KW447',
      message: expect.stringContaining('signature'),
    });
    expect(await failure(here, ['ipvsadm'], 'mount -t tmpfs -o size=4k tmpfs /var/cache/dnf')).toMatchObject({
      code: 'KW446',
    });
    await host.exec('umount /var/cache/dnf');
  });

  test('do not pass for an answer where the database cannot be read', async () => {
    await host.exec('mv /var/lib/rpm/rpmdb.sqlite /root; echo garbage >/var/lib/rpm/rpmdb.sqlite');
    expect((await run(packageFactsScript(packageNeeds(cluster)))).code).toBe(2);
    expect((await install({ install: ['ipvsadm'] })).code).toBe(2);
  });
});
