import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Unlocked } from '../../../src/activities/lease/unlock.js';
import { KubewrightError } from '../../../src/errors.js';
import { runCommand } from './run.js';

const FILE = `apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: demo }
spec:
  endpoint: { vip: 10.88.0.100 }
  hosts:
    - { name: cp-1, address: 10.88.0.11, role: control-plane }
`;

afterEach(() => {
  vi.doUnmock('../../../src/on-hosts.js');
  vi.resetModules();
});

async function unlock(result: Unlocked | KubewrightError, ...options: string[]) {
  const asked: string[] = [];
  vi.doMock('../../../src/on-hosts.js', () => ({
    unlockHosts: async ({ name }: { name: string }, run: string) => {
      asked.push(`${name} ${run}`);
      if (result instanceof Error) throw result;
      return result;
    },
  }));
  return { ...(await runCommand(['unlock', '-', 'run-9', ...options], { stdin: FILE })), asked };
}

describe('unlock', () => {
  it('takes the hosts of the file from the run that is named', async () => {
    const { code, stdout, asked } = await unlock({ hosts: ['cp-1', 'w-1'], unasked: [] });
    expect(asked).toEqual(['demo run-9']);
    expect(stdout).toBe('Taken from run run-9: cp-1, w-1.\n');
    expect(code).toBe(0);
  });

  it('names hosts that could not be asked, and says so with its exit code', async () => {
    const result = { hosts: ['cp-1'], unasked: [{ host: 'w-1', why: 'no way to it' }] };
    const { code, stdout } = await unlock(result);
    expect(stdout).toContain('Not asked: w-1 (no way to it). The run may hold it for two hours more.');
    expect(code).toBe(1);
    expect((await unlock(result, '--json')).objects).toContainEqual(
      expect.objectContaining({ type: 'unlocked', cluster: 'demo', run: 'run-9', ...result }),
    );
  });

  it('fails when the run holds nothing, and takes no run for granted', async () => {
    const { code, stderr } = await unlock(new KubewrightError('KW595', 'no host of demo is held by a run run-9'));
    expect(stderr).toContain('KW595');
    expect(code).toBe(1);
    for (const file of ['prod/cluster.yaml', 'none.yml', '-', 'package.json']) {
      const { code, stderr } = await runCommand(['unlock', file]);
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining(`missing required argument 'run': ${file} is a file`),
      ]);
    }
    expect((await runCommand(['unlock', '-f', 'none.yaml'])).code).toBe(2);
  });
});
