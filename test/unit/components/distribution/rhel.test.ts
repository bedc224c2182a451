import { describe, expect, it } from 'vitest';
import type { Role } from '../../../../src/cluster/types.js';
import { parsePackageFacts } from '../../../../src/components/distribution/index.js';
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

const ROCKY = 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4"\n';

function facts(...lines: string[]) {
  return parsePackageFacts(`${ROCKY}--- packages ---\n${lines.join('\n')}\n`);
}

describe('packages of the RHEL family', () => {
  it('have the names that the family gives them, and the plugin that holds only where something is held', () => {
    const { family, present } = facts();
    expect(family.goal('worker', needs('worker'), present)).toEqual({
      install: ['containerd', 'runc', 'iptables', 'util-linux', 'openssl', 'python3-dnf-plugin-versionlock'],
      hold: ['containerd', 'runc'],
      units: [],
    });
    const balancer = family.goal('control-plane', { ...needs('control-plane'), hold: [] }, present);
    expect(balancer.install).toEqual(['iptables', 'util-linux', 'openssl', 'haproxy', 'keepalived']);
  });

  it("are Docker's containerd alone where that is installed", () => {
    const { family, present } = facts(
      'package\tcontainerd.io\t1.7.27-3.1.el9\tfree',
      'package\tcontainerd\t1.7.27-3.1.el9\tfree',
    );
    const goal = family.goal('worker', needs('worker'), present);
    expect(goal.hold).toEqual(['containerd.io']);
    expect(goal.install).not.toContain('containerd');
    expect(goal.install).not.toContain('runc');
  });

  it('are told with their versions, and whether they are held', () => {
    expect(facts('package\tcontainerd\t1.7.27-3.1.el9\theld', 'package\tcurl\t7.76.1-29.el9\tfree').present).toEqual({
      packages: [
        { name: 'containerd', version: '1.7.27-3.1.el9', installed: true, held: true },
        { name: 'curl', version: '7.76.1-29.el9', installed: true, held: false },
      ],
      heldOffUnits: [],
    });
  });

  it.each([
    ['metadata already locked by 25741\n  The application with PID 25741 is: dnf', 'KW443', true],
    ["RPM: error: can't create transaction lock on /var/lib/rpm/.rpm.lock", 'KW443', true],
    ['[Errno 28] No space left on device', 'KW446', false],
    [
      'Error Summary\n-------------\nDisk Requirements:\n   At least 12MB more space needed on the / filesystem.',
      'KW446',
      false,
    ],
    [
      "Errors during downloading metadata for repository 'appstream':\n  - Curl error (6): Couldn't resolve host name for http://x [Could not resolve host: x]\nError: Failed to download metadata for repo 'appstream'",
      'KW444',
      false,
    ],
    [
      "[MIRROR] x.rpm: Downloading successful, but checksum doesn't match. Calculated: 1\nError: All mirrors were tried",
      'KW447',
      false,
    ],
    ['Curl error (60): SSL peer certificate or SSH remote key was not OK for https://x', 'KW444', false],
    [
      "Ignoring repositories: appstream\nError: Failed to download metadata for repo 'appstream'\nNo match for argument: haproxy",
      'KW444',
      false,
    ],
    ['Error: There are no enabled repositories in "/etc/yum.repos.d", "/etc/yum/repos.d".', 'KW445', false],
    ['No match for argument: keepalived\nError: Unable to find a match: keepalived', 'KW445', false],
    ['Package containerd-1.7.9-1.noarch.rpm is not signed\nError: GPG check FAILED', 'KW447', false],
    ['Error: \n Problem: problem with installed package x\n  - package y conflicts with x', 'KW447', false],
    ['Error: Transaction failed', 'KW447', false],
  ])('explains %j as %s', (output, code, transient) => {
    const failure = facts().family.explain(output);
    expect(failure).toMatchObject({ code, transient });
    expect(failure.hint).not.toMatch(/apt|dpkg/);
  });

  it('names everything that no repository has, and says where a containerd can be had', () => {
    const output =
      'No match for argument: containerd\nNo match for argument: runc\nError: Unable to find a match: containerd runc';
    expect(facts().family.explain(output)).toMatchObject({
      message: 'its package repositories do not have containerd, runc',
      hint: expect.stringMatching(/Docker's repository.*runtime\.source: bundle/),
    });
  });
});
