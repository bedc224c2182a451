import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';
import { createContext } from '../../src/activities/context.js';
import type { Problem } from '../../src/activities/prepare/checks/problem.js';
import { implementations } from '../../src/activities/registry.js';
import type { PackageRepository } from '../../src/cluster/package-repository.js';
import type { Cluster } from '../../src/cluster/types.js';
import { work } from '../../src/components/artifacts/repository/work.js';
import type { Hosts } from '../../src/hosts/index.js';
import { planInstall } from '../../src/plan/install.js';
import type { Step } from '../../src/plan/types.js';
import { VERSION } from '../../src/version.js';
import { clusterOfLab, eventually, poolOf } from './lab-hosts.js';
import { runStep } from './steps-harness.js';
import { type DebPackage, makeDebRepository } from './support/deb-repository.js';
import { LabRepository } from './support/repository.js';
import { RPM_TOOLS, rpmScript } from './support/rpm-repository.js';
import { Signer } from './support/signer.js';

/**
 * Packages of Kubernetes out of a repository, with the real apt and dnf: a signed mirror of both forms with an authority of its own and
 * a login. cp-1 is a Debian; w-1 calls itself a Rocky Linux, with the dnf and rpm that Debian has as packages. The programs in the packages are none.
 */
const VARIABLE = 'KUBEWRIGHT_LAB_REPOSITORY_LOGIN';
const PASSWORD = 'a-password-of-the-mirror';
const LOGIN = `puller:${PASSWORD}`;

let lab: Lab;
let hosts: Hosts;
let mirror: LabRepository;
let signer: Signer;
let stranger: Signer;
let cluster: Cluster;
/** What running steps have shown. */
const lines: string[] = [];

/** Versions that the mirror has beside the cluster's: an older and a newer patch, and one whose number only begins like it. */
const versionsOf = (version: string) => [version, `${version}0`, version.replace(/\d+$/, (patch) => `${+patch + 1}`)];

function packagesOf(version: string): Omit<DebPackage, 'files'>[] {
  const release = versionsOf(version).flatMap((each) => [
    { name: 'kubelet', version: `${each}-1.1` },
    { name: 'kubeadm', version: `${each}-1.1` },
    { name: 'kubectl', version: `${each}-1.1` },
  ]);
  const others = ['1.9.0', '1.10.0'].map((each) => ({ name: 'kubernetes-cni', version: `${each}-1.1` }));
  return [...release, ...others, { name: 'cri-tools', version: '1.37.0-1.1' }];
}

beforeAll(async () => {
  lab = await labUp({ name: 'packages', hosts: 2, replace: true });
  [mirror, signer, stranger] = await Promise.all([
    LabRepository.start(lab.record.plan.subnet.gateway, LOGIN),
    Signer.make('mirror'),
    Signer.make('stranger'),
  ]);
  const found = await clusterOfLab(lab);
  cluster = {
    ...found,
    runtime: { type: 'containerd', source: 'distribution', config: {} },
    loadBalancer: { type: 'haproxy-keepalived', source: 'distribution' } as Cluster['loadBalancer'],
    packages: {
      source: 'repository',
      repository: {
        url: `${mirror.url}/{format}`,
        key: signer.publicKey,
        ca: await readFile(mirror.caFile, 'utf8'),
        loginEnv: VARIABLE,
      },
      // So that nobody asks registry.k8s.io.
      registry: { address: 'registry.example.org', paths: {}, ca: null, loginEnv: null, images: 'all' },
      proxy: null,
    },
  };
  const packages = packagesOf(cluster.kubernetes.version);
  const program = (name: string) => ({ [`/usr/bin/${name}`]: { text: `#!/bin/sh\necho ${name}\n`, mode: 0o755 } });
  await makeDebRepository(
    join(mirror.folder, 'deb'),
    packages.map((each) => ({
      ...each,
      files: program(each.name),
      // As the packages of services on Debian do.
      ...(each.name === 'kubelet' ? { postinst: 'deb-systemd-invoke start kubelet.service || true\n' } : {}),
    })),
    signer,
  );
  await makeRpms(packages);
  hosts = poolOf(cluster);
  await lab.host('cp-1').exec(WATCH);
  await lab.host('w-1').exec(WATCH);
  // What many hosts do after an update; a look is none.
  await lab.host('cp-1').exec(`echo 'APT::Update::Post-Invoke { "touch /root/hooked"; };' >/etc/apt/apt.conf.d/90hook`);
});

afterAll(async () => {
  delete process.env[VARIABLE];
  await hosts?.close();
  await lab?.down();
  await Promise.all([mirror?.stop(), signer?.remove(), stranger?.remove()]);
});

beforeEach(() => {
  process.env[VARIABLE] = LOGIN;
  mirror.manner = 'mirror';
});

/** By w-1, which has the programs for it; signed inside by the one who signs the list. */
async function makeRpms(packages: Omit<DebPackage, 'files'>[]): Promise<void> {
  const host = lab.host('w-1');
  const long = { timeoutMs: 300_000 };
  await host.exec(RPM_TOOLS, long);
  await host.exec('umask 077; cat >/root/signer.asc', { input: await signer.privateKey() });
  const { stdout } = await host.exec(rpmScript(packages), long);
  const folder = join(mirror.folder, 'rpm');
  await execa('mkdir', [folder]);
  await execa('tar', ['-xz', '-C', folder], { input: Buffer.from(stdout, 'base64') });
  await signer.sign(join(folder, 'repodata/repomd.xml'));
}

/** Looks all the time for the password among the arguments and environments of processes, and in files that others can read. */
const WATCH = `set -e
umask 077
printf %s ${PASSWORD.slice(0, 5)} >/root/secret; printf %s ${PASSWORD.slice(5)} >>/root/secret
cat >/root/watch <<'END'
while :; do
  grep -a -l -F -f /root/secret /proc/[0-9]*/cmdline /proc/[0-9]*/environ
  find /etc /run /tmp /var/tmp /var/lib/kubewright /var/cache -xdev -type f -perm /044 -size -200k -exec grep -l -F -f /root/secret {} +
done 2>/dev/null >/root/seen
END
systemd-run --quiet --unit watch bash /root/watch`;

const withRepository = (changes: Partial<PackageRepository>): Cluster => {
  const { packages } = cluster;
  if (packages.source !== 'repository') throw new Error('the cluster has another source');
  return { ...cluster, packages: { ...packages, repository: { ...packages.repository, ...changes } } };
};

const stepOf = (id: string): Step => {
  const step = planInstall(cluster).find((each) => each.id === id);
  if (step === undefined) throw new Error(`the plan has no step ${id}`);
  return step;
};

/** What the preflight says of the repository. */
function preflight(changed: Partial<PackageRepository> = {}, version = cluster.kubernetes.version): Promise<Problem[]> {
  const settled = withRepository(changed);
  const context = createContext(
    {
      cluster: { ...settled, kubernetes: { ...settled.kubernetes, version } },
      step: stepOf('cluster/preflight'),
      build: VERSION,
    },
    { hosts, signal: new AbortController().signal, env: process.env, onProgress: () => undefined },
  );
  return work.checkTogether(context, []);
}

const install = (name: string, changed: Partial<PackageRepository> = {}) =>
  runStep(stepOf(`${name}/binaries`), {
    ...{ cluster: withRepository(changed), hosts, implementations },
    onProgress: (_, line) => lines.push(line),
  });

const said = async (host: LabHost, script: string): Promise<string> => (await host.exec(script)).stdout.trim();

const onBoth = (code: string, words: RegExp) =>
  ['cp-1', 'w-1'].map((host) => ({ code, hosts: [host], what: expect.stringMatching(words) }));

describe('before the first change', () => {
  /** Whatever a package manager keeps: settings, keys, lists, caches. Its log may grow. */
  const KEPT =
    'find /etc /var/lib/apt /var/cache/apt /var/cache/dnf /var/lib/dnf /root -xdev -type f -printf "%p %T@ %s\\n" | grep -v ^/root/seen | sort; rpm -qa 2>/dev/null || true; ls /run | grep kubewright || true';

  test('each host asks with its own package manager, and nothing on it is changed', async () => {
    const look = () => Promise.all(lab.hosts.map((host) => said(host, KEPT)));
    const before = await look();
    expect(await preflight()).toEqual([]);
    expect(await look()).toEqual(before);
    // dnf starts one for the key that it imports.
    for (const host of lab.hosts) expect(await said(host, 'pgrep -a gpg-agent || true')).toBe('');
  });

  test('a login that is missing is told once, and a wrong one by each host', async () => {
    delete process.env[VARIABLE];
    expect(await preflight()).toMatchObject([{ code: 'KW377', hosts: [], what: expect.stringContaining(VARIABLE) }]);
    process.env[VARIABLE] = 'puller:another-word';
    expect(await preflight()).toMatchObject(onBoth('KW374', /wants a login, or another one/));
    expect(await preflight({ loginEnv: null })).toMatchObject(onBoth('KW374', /wants a login, or another one/));
  });

  test('an authority that is not named is not trusted', async () => {
    expect(await preflight({ ca: null })).toMatchObject(onBoth('KW374', /does not trust the certificate/));
  });

  test('a key that did not sign it is told', async () => {
    expect(await preflight({ key: stranger.publicKey })).toMatchObject(onBoth('KW376', /does not take the signature/));
  });

  test('a mirror that is not there, is another server, or says nothing is told', async () => {
    const closed = mirror.url.replace(/:\d+$/, ':9');
    expect(await preflight({ url: closed })).toMatchObject(onBoth('KW374', /gets no list of packages from/));
    expect(await preflight({ url: `${mirror.url}/elsewhere/` })).toMatchObject(onBoth('KW374', /gets no list .*404/));
    mirror.manner = 'portal';
    expect(await preflight()).toMatchObject(onBoth('KW374', /gets something else than a list of packages/));
    mirror.manner = 'silence';
    expect(await preflight()).toMatchObject(onBoth('KW374', /gets no list of packages from/));
  });

  test('another file for it, by which apt would read no list any more, is told, and nothing is written', async () => {
    const host = lab.host('cp-1');
    const path = '/etc/apt/sources.list.d/kubernetes.list';
    await host.exec(`echo 'deb [signed-by=/etc/apt/keyrings/kubernetes.gpg] ${mirror.url}/deb/ /' >${path}`);
    const told = { code: 'KW386', message: expect.stringContaining(path) };
    expect(await preflight()).toMatchObject([{ code: 'KW386', hosts: ['cp-1'], what: expect.stringContaining(path) }]);
    await expect(install('cp-1')).rejects.toMatchObject(told);
    await host.exec(`apt-get indextargets >/dev/null && rm ${path}`);
  });

  test('a program that would be called in place of a package’s is told', async () => {
    const host = lab.host('w-1');
    await host.exec('ln -s /nowhere /usr/local/bin/crictl; touch /usr/local/bin/kubectl');
    // No step calls kubectl on a worker.
    const what = expect.stringMatching(/^w-1 has \/usr\/local\/bin\/crictl,/);
    expect(await preflight()).toMatchObject([{ code: 'KW392', hosts: ['w-1'], what }]);
    await host.exec('rm /usr/local/bin/crictl /usr/local/bin/kubectl');
  });

  test('a version that it lacks is told', async () => {
    expect(await preflight({}, '1.37.77')).toMatchObject(onBoth('KW375', /kubelet 1\.37\.77/));
  });
});

describe('the packages', () => {
  const RPM = "rpm -q --qf '%{NAME} %{VERSION}-%{RELEASE}\\n' kubelet kubeadm cri-tools kubernetes-cni";
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own form
  const DEB = "dpkg-query -W -f '${Package} ${Version}\\n' kubelet kubeadm kubectl cri-tools kubernetes-cni";
  const installed = async (host: LabHost) =>
    (await said(host, host.name === 'cp-1' ? DEB : RPM)).split('\n').sort().join(', ');
  const expected = (host: LabHost, kubelet = cluster.kubernetes.version) => {
    const { version } = cluster.kubernetes;
    const kubectl = host.name === 'cp-1' ? `kubectl ${version}-1.1, ` : '';
    return `cri-tools 1.37.0-1.1, kubeadm ${version}-1.1, ${kubectl}kubelet ${kubelet}-1.1, kubernetes-cni 1.10.0-1.1`;
  };

  test("are those of the cluster's version, and the kubelet is enabled and not started; a second time is none", async () => {
    for (const host of lab.hosts) {
      expect(await install(host.name)).toMatchObject({ outcome: 'changed' });
      expect(await installed(host)).toBe(expected(host));
      expect(await said(host, 'systemctl is-enabled kubelet; systemctl is-active kubelet || true')).toBe(
        'enabled\ninactive',
      );
      // The unit was held off while the packages came.
      expect(await said(host, 'ls -A /run/systemd/system | grep kubelet || true')).toBe('');
      expect(await said(host, 'pgrep -a gpg-agent || true')).toBe('');
      expect(await install(host.name)).toMatchObject({ outcome: 'unchanged' });
    }
  });

  test('are not asked for again, so a mirror that is away keeps nobody from mending a cluster', async () => {
    mirror.manner = 'silence';
    expect(await preflight()).toEqual([]);
    const held = { 'cp-1': 'apt-mark showhold', 'w-1': 'dnf -q versionlock list' };
    await lab.host('cp-1').exec('apt-mark unhold kubelet');
    await lab.host('w-1').exec('dnf -q versionlock delete kubelet');
    for (const host of lab.hosts) {
      const look = held[host.name as keyof typeof held];
      expect(await said(host, look)).not.toMatch(/kubelet/);
      expect(await install(host.name)).toMatchObject({ outcome: 'changed' });
      expect(await said(host, look)).toMatch(/kubelet/);
    }
  });

  test('stay what they are when somebody upgrades the system', async () => {
    const [debian, rocky] = [lab.host('cp-1'), lab.host('w-1')];
    const upgrade = 'apt-get -s upgrade | grep "^Inst kube" || true';
    expect(await said(debian, upgrade)).toBe('');
    await rocky.exec('dnf -q -y --enablerepo=kubewright-kubernetes upgrade', { timeoutMs: 200_000 });
    for (const host of lab.hosts) expect(await installed(host)).toBe(expected(host));
    // Both managers know of newer ones.
    expect(
      await said(debian, `apt-mark unhold kubelet >/dev/null; ${upgrade}; apt-mark hold kubelet >/dev/null`),
    ).toMatch(/^Inst kubelet /);
    const newer = 'dnf -q --disableplugin=versionlock --enablerepo=kubewright-kubernetes list --upgrades kubelet';
    expect(await said(rocky, newer)).toContain('kubelet');
  });

  test('are left alone in another version, and it is said what to do', async () => {
    const newer = cluster.kubernetes.version.replace(/\d+$/, (patch) => `${+patch + 1}`);
    const change = {
      'cp-1': (version: string) =>
        `apt-get -q -y --allow-downgrades --allow-change-held-packages install kubelet=${version}-1.1`,
      'w-1': (version: string) => {
        const verb = version === newer ? 'install' : 'downgrade';
        return `dnf -q -y --disableplugin=versionlock --enablerepo=kubewright-kubernetes ${verb} kubelet-${version}-1.1`;
      },
    };
    for (const host of lab.hosts) {
      const to = change[host.name as keyof typeof change];
      await host.exec(to(newer), { timeoutMs: 120_000 });
      expect(await preflight()).toMatchObject([{ code: 'KW379', hosts: [host.name] }]);
      await expect(install(host.name)).rejects.toMatchObject({ code: 'KW379', host: host.name });
      expect(await installed(host)).toBe(expected(host, newer));
      await host.exec(to(cluster.kubernetes.version), { timeoutMs: 120_000 });
    }
  });

  test('are not installed where they are not what the list of the repository says', async () => {
    for (const host of lab.hosts) {
      const purge = 'apt-get clean; apt-get -q -y purge --allow-change-held-packages';
      const remove = host.name === 'cp-1' ? purge : 'dnf -q -y remove';
      await host.exec(`${remove} cri-tools`, { timeoutMs: 120_000 });
    }
    const { stdout } = await execa('find', [mirror.folder, '-name', 'cri-tools*']);
    for (const path of stdout.split('\n')) {
      const bytes = await readFile(path);
      bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
      await writeFile(path, bytes);
    }
    for (const host of lab.hosts) {
      await expect(install(host.name)).rejects.toMatchObject({
        code: 'KW447',
        message: expect.stringContaining('not what the list of its repository says'),
      });
    }
  });

  test('the login is in one file, for root alone, and was nowhere else at any moment', async () => {
    const places = {
      'cp-1': '/etc/apt/auth.conf.d/kubewright-kubernetes.conf',
      'w-1': '/etc/yum.repos.d/kubewright-kubernetes.repo',
    };
    for (const host of lab.hosts) {
      const search =
        'grep -rl -F -f /root/secret /etc /run /tmp /var /usr/local /root --exclude=secret 2>/dev/null | sort';
      const place = places[host.name as keyof typeof places];
      expect(await said(host, search)).toBe(place);
      expect(await said(host, `stat -c '%a %U' ${place}`)).toBe('600 root');
      expect(await said(host, 'journalctl --no-pager | grep -c -F -f /root/secret || true')).toBe('0');
      expect(await said(host, 'cat /root/seen')).toBe('');
    }
    expect(lines.join('\n')).not.toContain(PASSWORD);
    // Who looked all the time would have seen it.
    const [host] = lab.hosts;
    await host?.exec(
      'systemd-run --quiet --unit decoy sleep 300 "$(cat /root/secret)" || true; cp /root/secret /run/decoy; chmod 644 /run/decoy',
    );
    // One look at all of it takes long on a busy machine.
    const seen = async () => await said(host as LabHost, 'cat /root/seen');
    await eventually(async () => /cmdline/.test(await seen()), 'the decoy among arguments is seen', 200_000);
    await eventually(async () => /decoy/.test(await seen()), 'the decoy in a file is seen', 200_000);
  });

  test('a login and an authority that the file names no more are taken away', async () => {
    for (const host of lab.hosts) await install(host.name, { ca: null, loginEnv: null }).catch(() => undefined);
    for (const host of lab.hosts) {
      expect(await said(host, 'find /etc -name "*kubewright-kubernetes*" | sort')).not.toMatch(
        /auth\.conf|ca\.pem|60kube/,
      );
      expect(await said(host, 'grep -rl -F -f /root/secret /etc || true')).toBe('');
    }
  });
});
