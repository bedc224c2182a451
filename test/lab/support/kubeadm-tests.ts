import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { ensureKubeadmTests } from '../../../lab/artifacts/kubernetes-tests.js';
import { DEFAULTS } from '../../../src/cluster/defaults.js';
import type { Installed } from './installed.js';

/** A cluster that is right passes 35; the 36th asks for IPv6 beside IPv4, and the suite itself passes it over elsewhere. */
const LEAST = 35;

/** Builds the suite where it is not there yet; to be awaited before there is a cluster, which needs the processors. */
export async function kubeadmTests(): Promise<string> {
  return await ensureKubeadmTests(DEFAULTS.kubernetes.version, (line) => console.log(`    ${line}`));
}

/** kubeadm's own end-to-end tests against the cluster, from this machine, through VIP and port. */
export function expectKubeadmTestsPass(get: () => Installed): void {
  test('kubeadm’s own end-to-end tests pass', { timeout: 120_000 }, async () => {
    const program = await kubeadmTests();
    // They write reports beside themselves.
    const cwd = await mkdtemp(join(tmpdir(), 'kubewright-kubeadm-tests-'));
    try {
      const args = [`--kubeconfig=${get().kubeconfig}`, '--ginkgo.no-color'];
      const { all, exitCode } = await execa(program, args, { cwd, all: true, reject: false, timeout: 110_000 });
      const [summary = '', passed] = /^.*?(\d+) Passed \| \d+ Failed.*$/m.exec(all) ?? [];
      console.log(`    ${summary}`);
      expect(exitCode, all.slice(-6_000)).toBe(0);
      expect(Number(passed)).toBeGreaterThanOrEqual(LEAST);
    } finally {
      await rm(cwd, { recursive: true, force: true });
    }
  });
}
