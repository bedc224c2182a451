import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { checkOutsideNames } from '../../../../src/activities/check/checkOutsideNames.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';
import { layBundle } from '../prepare/fixtures.js';

const NAMES = ['registry.example.org', 'db.example.net'];

interface Pod {
  spec: { nodeName?: string; containers: { command: string[] }[] };
}

describe('names outside of the cluster', () => {
  let directory: string;
  let cluster: ReturnType<typeof clusterOf>;
  let hosts: Map<string, FakeHost>;
  let via: FakeHost;

  beforeEach(() => {
    directory = layBundle();
    const packages = { source: 'bundle' as const, bundle: directory, proxy: null };
    cluster = { ...clusterOf({ controlPlanes: 1, workers: 2 }, { packages }), health: { outsideNames: NAMES } };
    hosts = fakeHosts(cluster);
    via = hostIn(hosts, 'cp-1')
      .fact('initialised', '')
      .fact('ready', 'ok')
      .fact('secrets', '')
      .fact('machine', 'x86_64');
    const version = `v${cluster.kubernetes.version}`;
    const lines = cluster.hosts.map(({ name, address }) => [name, 'True', version, address, 'Ready=True '].join('\t'));
    via.fact('nodes', lines.join('\n'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const look = async (stdout: string) => {
    via.answer('clear_pods', { exitCode: stdout === '' ? 0 : 1, stdout });
    const { findings } = await checkOutsideNames.probe(contextAmong(hosts, cluster, 'checkOutsideNames', null));
    return findings;
  };
  const pods = () =>
    parseAllDocuments(via.scripts.find(({ input }) => input.includes('kind: Pod'))?.input ?? '').map(
      (each) => each.toJS() as Pod,
    );

  test('are asked for in a pod on each node, and none is scheduled', async () => {
    expect(await look('')).toEqual([]);
    expect(pods().map(({ spec }) => spec.nodeName)).toEqual(['cp-1', 'w-1', 'w-2']);
    for (const { spec } of pods()) expect(spec.containers[0]?.command.slice(-2)).toEqual(NAMES);
  });

  test('that one node does not resolve are told of that node, by name', async () => {
    expect(await look('kubewright-silent: w-2 \ndb.example.net is not resolved\n')).toMatchObject([
      {
        code: 'KW689',
        host: 'w-2',
        evidence: expect.stringMatching(/^db\.example\.net is not resolved in a pod on w-2/),
      },
    ]);
  });

  test('that nobody resolves are told once, of no node', async () => {
    expect(await look('kubewright-silent: cp-1 w-1 w-2 \nregistry.example.org is not resolved\n')).toMatchObject([
      { code: 'KW689', host: null, evidence: expect.stringMatching(/^registry\.example\.org cannot be resolved/) },
    ]);
  });

  test('are not blamed where no control plane is ready', async () => {
    via.fact('ready', 'no');
    expect(await look('')).toMatchObject([{ code: 'KW602', host: null }]);
  });

  describe('in the pod', () => {
    let bin: string;
    beforeEach(() => {
      bin = mkdtempSync(join(tmpdir(), 'kubewright-dig-'));
    });
    afterEach(() => rmSync(bin, { recursive: true }));

    /** What the container ends with where dig answers so for `db.example.net`, and rightly for every other name. */
    async function run(dig: string): Promise<string> {
      await look('');
      writeFileSync(
        join(bin, 'dig'),
        `#!/bin/sh\ncase "$*" in *db.example.net.*) ${dig} ;; *) echo 192.0.2.1 ;; esac\n`,
      );
      chmodSync(join(bin, 'dig'), 0o755);
      const [program = '', ...args] = pods()[0]?.spec.containers[0]?.command ?? [];
      const env = { PATH: `${bin}:${process.env.PATH}` };
      try {
        execFileSync(program, args, { env, stdio: 'pipe' });
        return 'resolved';
      } catch (error) {
        return String((error as { stderr: Buffer }).stderr).trim();
      }
    }

    test.each([
      ['an address', 'echo 192.0.2.2', 'resolved'],
      ['another name and its address', 'printf "a.example.net.\\n2001:db8::1\\n"', 'resolved'],
      ['nothing', ':', 'db.example.net is not resolved'],
      [
        'no answer in time',
        'echo ";; connection timed out; no servers could be reached"; exit 9',
        'db.example.net is not resolved',
      ],
    ])('with %s', async (_, dig, expected) => {
      expect(await run(dig)).toBe(expected);
    });
  });
});
