import { describe, expect, test } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { applySettings, settingsFor } from '../../../lab/hosts/plan/lab-settings.js';
import { sourcesList } from '../../../lab/hosts/seed/apt.js';
import { knownHostsLine } from '../../../lab/hosts/seed/keys.js';
import { chooseSource, parseDeb822, parseOneLine } from '../../../src/artifacts/from-modules/apt-source.js';

describe('package sources of the machine', () => {
  test('one-line style', () => {
    const entries = parseOneLine(`# deb http://commented/ bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian/ bookworm main contrib
deb-src http://mirror.example/debian bookworm main
deb http://security.example/debian-security bookworm-security main
`);
    expect(chooseSource(entries)).toEqual({
      mirror: 'http://mirror.example/debian',
      security: 'http://security.example/debian-security',
    });
  });

  test('deb822 style, with comments, several suites and disabled entries', () => {
    const entries = parseDeb822(`Types: deb
# a comment
URIs: http://off.example/debian
Suites: bookworm
Enabled: no

Types: deb deb-src
URIs: http://mirror.example/debian
Suites: trixie trixie-updates
Components: main

Types: deb
URIs: http://security.example/debian-security
Suites: trixie-security
`);
    expect(chooseSource(entries)).toEqual({
      mirror: 'http://mirror.example/debian',
      security: 'http://security.example/debian-security',
    });
  });

  test('other archives are not taken for Debian’s', () => {
    const entries = parseOneLine(
      'deb http://archive.ubuntu.example/ubuntu jammy main\ndeb file:/cdrom bookworm main\n',
    );
    expect(chooseSource(entries, () => 'http://default.example/debian')).toEqual({
      mirror: 'http://default.example/debian',
      security: 'http://default.example/debian-security',
    });
  });

  test('hosts are told the base image’s own release', () => {
    expect(sourcesList({ mirror: 'http://m/debian', security: 'http://s/sec' }, 'bookworm')).toBe(
      'deb http://m/debian bookworm main\ndeb http://m/debian bookworm-updates main\ndeb http://s/sec bookworm-security main\n',
    );
  });
});

test('known_hosts names a port other than 22', () => {
  expect(knownHostsLine('10.0.0.1', 22, 'ssh-ed25519 AAA')).toBe('10.0.0.1 ssh-ed25519 AAA\n');
  expect(knownHostsLine('10.0.0.1', 2222, 'ssh-ed25519 AAA')).toBe('[10.0.0.1]:2222 ssh-ed25519 AAA\n');
});

describe('what only a lab needs in cluster.yaml', () => {
  const bare = { cgroupVersion1: true, kernelConfig: true, sysResource: false };
  const paths = (version: string | undefined, facts: typeof bare) =>
    settingsFor(version, facts).map(({ path }) => path.join('.'));

  test('cgroup version 1 matters from Kubernetes 1.35 on', () => {
    expect(paths('1.34.3', bare)).not.toContain('kubernetes.kubelet.config.failCgroupV1');
    expect(paths('1.35.4', bare)).toEqual(
      expect.arrayContaining(['kubernetes.kubelet.config.failCgroupV1', 'kubernetes.ignorePreflightErrors']),
    );
    expect(paths('1.35.4', { ...bare, cgroupVersion1: false })).not.toContain('kubernetes.kubelet.config.failCgroupV1');
  });

  test('a machine that lacks nothing needs only the connection table left alone', () => {
    expect(paths('1.36.0', { cgroupVersion1: false, kernelConfig: true, sysResource: true })).toEqual([
      'kubernetes.kubeProxy.config.conntrack',
    ]);
  });

  test('each stands below its reason, and what the user has set stays', () => {
    const document = parseDocument('spec:\n  kubernetes:\n    ignorePreflightErrors: [NumCPU]\n');
    applySettings(document, settingsFor('1.35.4', bare));
    const text = document.toString();
    expect(parse(text)).toEqual({
      spec: {
        kubernetes: {
          ignorePreflightErrors: ['NumCPU'],
          kubelet: { config: { failCgroupV1: false } },
          kubeProxy: { config: { conntrack: { maxPerCore: 0, min: 0 } } },
        },
        runtime: { config: { plugins: { 'io.containerd.grpc.v1.cri': { restrict_oom_score_adj: true } } } },
      },
    });
    expect(text).toMatch(/# Lab: .*\n\s*restrict_oom_score_adj: true/);
  });
});
