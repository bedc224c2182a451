import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Role } from '../../../../src/cluster/types.js';
import {
  distributionOf,
  packageFactsScript,
  parseOsRelease,
  parsePackageFacts,
} from '../../../../src/components/distribution/index.js';
import { packageNeeds } from '../../../../src/components/packages.js';
import { clusterOf } from '../../cluster-fixture.js';

const CLUSTER = clusterOf(
  { controlPlanes: 1, workers: 1 },
  {
    runtime: { type: 'containerd', source: 'distribution', config: {} },
    loadBalancer: { type: 'haproxy-keepalived', source: 'distribution' },
  },
);
const needs = (role: Role) => packageNeeds(CLUSTER, [role]);

const BOOKWORM = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n';

describe('which distribution', () => {
  it.each([
    ['Debian 12', BOOKWORM, true],
    ['Debian 11', 'ID=debian\nVERSION_ID="11"\nPRETTY_NAME="Debian 11"', false],
    ['Debian 10', 'ID=debian\nVERSION_ID="10"\nPRETTY_NAME="Debian 10"', false],
    ['Debian testing', 'ID=debian\nPRETTY_NAME="Debian GNU/Linux forky/sid"', true],
    ['Ubuntu 22.04', "ID=ubuntu\nID_LIKE=debian\nVERSION_ID='22.04'\nPRETTY_NAME='Ubuntu 22.04'", true],
    ['Ubuntu 18.04', 'ID=ubuntu\nVERSION_ID="18.04"\nPRETTY_NAME="Ubuntu 18.04"', false],
    ['RHEL 9', 'ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.6"\nPRETTY_NAME="Red Hat Enterprise Linux 9.6"', true],
    ['Rocky 9', 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4"', true],
    ['AlmaLinux 10', 'ID="almalinux"\nVERSION_ID="10.0"\nPRETTY_NAME="AlmaLinux 10.0"', true],
    ['AlmaLinux 8', 'ID="almalinux"\nVERSION_ID="8.10"\nPRETTY_NAME="AlmaLinux 8.10"', false],
    ['CentOS Stream 9', 'ID="centos"\nVERSION_ID="9"\nPRETTY_NAME="CentOS Stream 9"', true],
    ['CentOS 7', 'ID="centos"\nVERSION_ID="7"\nPRETTY_NAME="CentOS Linux 7 (Core)"', false],
    ['openEuler 22.03', 'ID="openEuler"\nVERSION_ID="22.03"\nPRETTY_NAME="openEuler 22.03 (LTS-SP4)"', true],
    ['openEuler 20.03', 'ID="openEuler"\nVERSION_ID="20.03"\nPRETTY_NAME="openEuler 20.03 (LTS)"', false],
    ['Fedora, a relative', 'ID=fedora\nVERSION_ID=42\nPRETTY_NAME="Fedora Linux 42"', false],
    ['Mint, a relative', 'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\nPRETTY_NAME="Linux Mint 22"', false],
    ['a file that says nothing', '', false],
  ])('%s', (_, text, supported) => {
    const verdict = distributionOf(parseOsRelease(text));
    expect(verdict.supported).toBe(supported);
    if (!verdict.supported) {
      expect(verdict.reason).toContain(verdict.os.prettyName);
      expect(verdict.hint).toContain('Debian 12 or newer, or Ubuntu 22.04 or newer');
      expect(verdict.hint).toContain('CentOS Stream 9 or newer, or openEuler 22.03 or newer');
    }
  });
});

/** The facts script in a real bash, on a host with this os-release and with functions for its tools. */
function askedOn(os: string, tools: string) {
  const directory = mkdtempSync(join(tmpdir(), 'kubewright-os-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'os-release'), os);
  const script = packageFactsScript(packageNeeds(CLUSTER)).replaceAll('/etc/os-release', join(directory, 'os-release'));
  return spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', `${tools}\n${script}`], { encoding: 'utf8' });
}

/** As the facts script prints it: dpkg's abbreviation has the wish, the state and an error, each one letter. */
function facts(...lines: string[]) {
  return parsePackageFacts(`${BOOKWORM}--- packages ---\n${lines.join('\n')}\n`);
}

describe('packages of Debian', () => {
  it('are asked of dpkg, whatever else is installed there, and those of others of nobody', () => {
    const tools = 'dpkg-query() { echo dpkg >&2; }\nrpm() { echo rpm >&2; }\nreadlink() { :; }';
    expect(askedOn(BOOKWORM, tools).stderr).toBe('dpkg\n');
    expect(askedOn('ID=linuxmint\nID_LIKE="ubuntu debian"\n', tools).stderr).toBe('dpkg\n');
    expect(askedOn('ID=arch\n', tools)).toMatchObject({ stderr: '', status: 0 });
  });

  it('asks in words that bash understands, about every package of every role', () => {
    for (const name of ['containerd', 'runc', 'containerd.io', 'haproxy', 'keepalived', 'iptables']) {
      expect(packageFactsScript(packageNeeds(CLUSTER))).toContain(` ${name}`);
    }
  });

  it.each([
    [0, 0],
    [1, 0],
    [2, 2],
  ])('takes no answer of dpkg for nothing installed: its exit code %i is %i', (of, code) => {
    expect(askedOn(BOOKWORM, `dpkg-query() { return ${of}; }\nreadlink() { :; }`).status).toBe(code);
  });

  it('says that something would have to be removed, and that nothing was', () => {
    const { family } = facts();
    const failure = family.explain('E: Packages need to be removed but remove is disabled.');
    expect(failure).toMatchObject({ code: 'KW447', hint: expect.stringContaining('Nothing was removed') });
  });

  it('tells what is installed, held, and only half installed', () => {
    const { present } = facts(
      'package\tcontainerd\thi \t1.6.20',
      'package\trunc\tiU \t1.1.5',
      'package\thaproxy\tun \t',
      'masked\thaproxy.service',
    );
    expect(present.packages).toEqual([
      { name: 'containerd', version: '1.6.20', installed: true, held: true },
      { name: 'runc', version: '', installed: false, held: false },
      { name: 'haproxy', version: '', installed: false, held: false },
    ]);
    expect(present.heldOffUnits).toEqual(['haproxy.service']);
  });

  it('wants a load balancer on control planes only, and little on etcd hosts', () => {
    const { family, present } = facts();
    expect(family.goal('control-plane', needs('control-plane'), present).install).toEqual(
      expect.arrayContaining(['containerd', 'haproxy', 'keepalived']),
    );
    expect(family.goal('worker', needs('worker'), present).install).not.toContain('haproxy');
    expect(family.goal('etcd', needs('etcd'), present)).toEqual({
      install: ['containerd', 'runc', 'mount', 'openssl'],
      hold: ['containerd', 'runc'],
      units: ['containerd.service'],
    });
  });

  it("keeps Docker's containerd, which conflicts with Debian's", () => {
    const { family, present } = facts('package\tcontainerd.io\tii \t1.7.27-1');
    const goal = family.goal('worker', needs('worker'), present);
    expect(goal.install).not.toContain('containerd');
    expect(goal.install).not.toContain('runc');
    expect(goal.hold).toEqual(['containerd.io']);
  });

  it('refuses a distribution of another family by name', () => {
    const ask = () => parsePackageFacts('ID=arch\nPRETTY_NAME="Arch Linux"\n--- packages ---\n');
    expect(ask).toThrowError(
      expect.objectContaining({ code: 'KW302', message: expect.stringContaining('Arch Linux') }),
    );
  });

  it.each([
    ['E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 2412 (unattended-upgr)', 'KW443', true],
    ['dpkg: error: dpkg frontend lock was locked by another process with pid 77', 'KW443', true],
    [
      "Err:1 http://deb.example bookworm InRelease\n  Could not resolve 'deb.example'\nE: Unable to locate package haproxy",
      'KW444',
      false,
    ],
    ['E: Failed to fetch http://deb.example/x.deb  Connection timed out', 'KW444', false],
    ['E: Failed to fetch http://deb.example/x.deb  Hash Sum mismatch', 'KW447', false],
    ['E: Unable to locate package keepalived', 'KW445', false],
    ["E: Package 'haproxy' has no installation candidate", 'KW445', false],
    ['dpkg: error processing archive x.deb: failed to write (No space left on device)', 'KW446', false],
    ["E: You don't have enough free space in /var/cache/apt/archives/.", 'KW446', false],
    ['dpkg: error processing package keepalived (--configure): exit status 1', 'KW447', false],
  ])('explains %j as %s', (output, code, transient) => {
    expect(facts().family.explain(output)).toMatchObject({ code, transient });
  });
});
