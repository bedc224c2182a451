import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Facts, factsProgram } from '../../../../src/activities/remote-facts.js';
import { debianRepositories } from '../../../../src/components/distribution/debian/repository.js';
import type { ExtraRepository, Repositories } from '../../../../src/components/distribution/repositories.js';
import { rhelRepositories } from '../../../../src/components/distribution/rhel/repository.js';

const REPOSITORY: ExtraRepository = {
  name: 'kubewright-kubernetes',
  title: 'Kubernetes 1.37',
  url: 'https://mirror.example.org:8443/kubernetes/v1.37/',
  key: '-----BEGIN PGP PUBLIC KEY BLOCK-----\nit\'s "one"\n-----END PGP PUBLIC KEY BLOCK-----\n',
  ca: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  login: { name: 'puller', password: 's3cret-of-the-mirror' },
};
const OPEN: ExtraRepository = { ...REPOSITORY, ca: null, login: null };

const byPath = (family: Repositories, repository: ExtraRepository) =>
  new Map(family.files(repository).map((file) => [file.path, file]));

describe.each([
  ['apt', debianRepositories],
  ['dnf', rhelRepositories],
])('%s', (_, family) => {
  it('keeps the login in one file of mode 0600, and has none without one', () => {
    const secret = family.files(REPOSITORY).filter(({ content }) => content.includes('s3cret-of-the-mirror'));
    expect(secret).toMatchObject([{ mode: 0o600, isSecret: true }]);
    expect(family.files(OPEN).some(({ isSecret }) => isSecret)).toBe(false);
  });

  it('lists every file that it may have', () => {
    const paths = family.paths(REPOSITORY.name);
    for (const { path } of [...family.files(REPOSITORY), ...family.files(OPEN)]) expect(paths).toContain(path);
  });

  it('has no login in the script that asks', () => {
    expect(family.offersScript(REPOSITORY, ['kubelet'], null, '/run/look')).not.toContain('s3cret-of-the-mirror');
  });
});

describe("apt's files", () => {
  it('name the key, the authorities of that host alone, and the login by host, port and path', () => {
    const files = byPath(debianRepositories, REPOSITORY);
    expect(files.get('/etc/apt/sources.list.d/kubewright-kubernetes.sources')?.content).toBe(`# Written by Kubewright.
# Kubernetes 1.37
Types: deb
URIs: https://mirror.example.org:8443/kubernetes/v1.37/
Suites: /
Signed-By: /etc/apt/keyrings/kubewright-kubernetes.asc
`);
    expect(files.get('/etc/apt/apt.conf.d/60kubewright-kubernetes')?.content).toContain(
      'Acquire::https::mirror.example.org::CaInfo "/etc/apt/keyrings/kubewright-kubernetes-ca.pem";',
    );
    expect(files.get('/etc/apt/auth.conf.d/kubewright-kubernetes.conf')?.content).toBe(
      'machine mirror.example.org:8443/kubernetes/v1.37/\nlogin puller\npassword s3cret-of-the-mirror\n',
    );
  });

  it('are followed by versions that are installed and held', () => {
    const kubelet = { name: 'kubelet', version: '1.37.2-1.1' };
    const packages = { install: [kubelet], hold: ['kubelet', 'kubeadm'] };
    const script = debianRepositories.installScript('kubewright-kubernetes', packages, null);
    expect(script).toContain('packages=(kubelet=1.37.2-1.1)');
    expect(script).toContain('hold=(kubelet kubeadm)');
    expect(script).toContain('services=(kubelet.service)');
    // The lists of others stay as fresh, or as old, as they are.
    expect(script).toContain(
      '|| update -o Dir::Etc::SourceList=/etc/apt/sources.list.d/kubewright-kubernetes.sources -o Dir::Etc::SourceParts=-\n',
    );
  });
});

describe("dnf's file", () => {
  it('checks signatures of packages and of the list, and is not enabled', () => {
    const files = byPath(rhelRepositories, REPOSITORY);
    const content = files.get('/etc/yum.repos.d/kubewright-kubernetes.repo')?.content ?? '';
    for (const line of ['enabled=0', 'gpgcheck=1', 'repo_gpgcheck=1', 'skip_if_unavailable=0', 'username=puller']) {
      expect(content.split('\n')).toContain(line);
    }
    const kubelet = { name: 'kubelet', version: '1.37.2-150500.1.1' };
    const packages = { install: [kubelet], hold: ['kubelet'] };
    const script = rhelRepositories.installScript('kubewright-kubernetes', packages, null);
    expect(script).toContain('packages=(kubelet-1.37.2-150500.1.1)');
    expect(script).toContain('--enablerepo=kubewright-kubernetes');
  });
});

describe('the question, in a real bash with a package manager of the test', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubewright-repositories-'));
    await mkdir(join(folder, 'bin'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function program(name: string, body: string): Promise<void> {
    await writeFile(join(folder, 'bin', name), `#!/bin/bash\n${body}\n`);
    await chmod(join(folder, 'bin', name), 0o755);
  }

  async function ask(family: Repositories): Promise<Facts> {
    const root = join(folder, 'look');
    const secret = family.files(REPOSITORY, root).find(({ isSecret }) => isSecret);
    const script = family.offersScript(REPOSITORY, ['kubelet', 'kubeadm'], null, root);
    const { stdout } = await execa('bash', ['--norc', '-c', factsProgram(script)], {
      input: secret?.content ?? '',
      env: { PATH: `${join(folder, 'bin')}:${process.env.PATH}` },
    });
    expect(await readdir(folder)).toEqual(['bin']);
    return new Facts(stdout);
  }

  it('is answered by apt with what it reads below a directory of its own', async () => {
    const login = `${folder}/look/etc/apt/auth.conf.d/kubewright-kubernetes.conf`;
    await program('apt-get', `grep -qx 'password s3cret-of-the-mirror' ${login} && : >${folder}/look/fetched`);
    const row = '   kubelet | 1.37.2-1.1 | https://mirror.example.org  Packages';
    await program('apt-cache', `[ ! -e ${folder}/look/fetched ] || echo '${row}'`);
    const facts = await ask(debianRepositories);
    expect(facts.rows('offer')).toEqual([['kubelet', '1.37.2-1.1']]);
    expect(facts.rows('repository-failed')).toEqual([]);
  });

  it("tells apt's words where there is nothing", async () => {
    await program('apt-get', "echo 'E: NO_PUBKEY 234654DA9A296436' >&2; exit 100");
    await program('apt-cache', 'exit 0');
    const facts = await ask(debianRepositories);
    expect(facts.rows('offer')).toEqual([]);
    expect(facts.rows('repository-failed')[0]?.[0]).toContain('NO_PUBKEY');
  });

  it('is answered by dnf', async () => {
    await program('dnf', "echo 'offer kubelet 1.37.2-150500.1.1'");
    expect((await ask(rhelRepositories)).rows('offer')).toEqual([['kubelet', '1.37.2-150500.1.1']]);
  });

  it("tells dnf's words where there is nothing", async () => {
    await program('dnf', "echo 'Curl error (60): SSL peer certificate' >&2; exit 1");
    expect((await ask(rhelRepositories)).rows('repository-failed')[0]?.[0]).toContain('Curl error (60)');
  });
});
