import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCluster, parseCluster } from '../../../src/cluster/load.js';
import { ClusterFileError, formatProblem } from '../../../src/cluster/problem.js';
import { hostsOf } from '../../../src/cluster/types.js';
import { etcdHosts } from '../../../src/components/registry/plan.js';
import { BASE, edited, problemsOf } from './helpers.js';

const EXAMPLES = join(import.meta.dirname, '../../../examples/clusters');
const directory = mkdtempSync(join(tmpdir(), 'kubewright-cluster-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function errorOf(path: string): Promise<ClusterFileError> {
  const outcome = await loadCluster(path).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(ClusterFileError);
  return outcome as ClusterFileError;
}

describe('loadCluster', () => {
  it.each(readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml') && name !== 'single.yaml'))(
    'takes examples/clusters/%s without a word',
    async (name) => {
      const { warnings } = await loadCluster(join(EXAMPLES, name));
      expect(warnings.map(formatProblem)).toEqual([]);
    },
  );

  it('takes examples/clusters/single.yaml, and says that it is without high availability', async () => {
    const { warnings } = await loadCluster(join(EXAMPLES, 'single.yaml'));
    expect(warnings.map(({ code, message }) => [code, message])).toEqual([
      ['single-etcd-member', expect.stringContaining('no high availability')],
    ]);
  });

  it('needs ten lines for a plain cluster', async () => {
    const path = join(EXAMPLES, 'minimal.yaml');
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(10);
    const { cluster } = await loadCluster(path);
    expect(hostsOf(cluster, 'control-plane').map((host) => host.name)).toEqual(['cp-1', 'cp-2', 'cp-3']);
    expect(hostsOf(cluster, 'worker').map((host) => host.name)).toEqual(['w-1']);
  });

  it('finds the external topology by the role of the hosts', async () => {
    const { cluster } = await loadCluster(join(EXAMPLES, 'external-etcd.yaml'));
    expect(cluster.etcd.topology).toBe('external');
    expect(etcdHosts(cluster).map((host) => host.name)).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
  });

  it('reads kubeadm patches beside the file', async () => {
    const { cluster } = await loadCluster(join(EXAMPLES, 'customised.yaml'));
    expect(cluster.kubernetes.patches.map((patch) => patch.name)).toEqual([
      'etcd+json.yaml',
      'kube-apiserver0+merge.yaml',
    ]);
    expect(cluster.kubernetes.patches[1]?.content).toContain('example.org/audited');
  });

  it('names the file that cannot be read, and why', async () => {
    expect((await errorOf(join(directory, 'absent.yaml'))).problems).toMatchObject([
      {
        line: 1,
        column: 1,
        code: 'unreadable',
        message: 'the file cannot be read: there is no such file or directory',
      },
    ]);
    expect((await errorOf(directory)).problems[0]?.message).toBe('the file cannot be read: it is a directory');
  });

  it('stops reading a file without an end', async () => {
    expect((await errorOf('/dev/zero')).problems[0]?.code).toBe('too-large');
  });

  it.each([
    ['UTF-16', Buffer.from(`\ufeff${BASE}`, 'utf16le'), '1:1', 'UTF-16'],
    ['Latin-1', Buffer.from(edited(['name: demo', 'name: caf\u00e9']), 'latin1'), '4:12', 'not UTF-8'],
    [
      'a byte that is not UTF-8 after a real U+FFFD',
      Buffer.concat([Buffer.from('# \ufffd\n# '), Buffer.from([0xff])]),
      '2:3',
      'not UTF-8',
    ],
    ['a binary', Buffer.from('\u007fELF\u0002\u0001\u0000\u0000'), '1:1', 'U+007F'],
    ['an escape sequence', Buffer.from('# title\nname: \u001b[31mred\n'), '2:7', 'U+001B'],
  ])('says where a file in %s leaves the text', async (_name, bytes, place, message) => {
    const path = join(directory, 'encoding.yaml');
    writeFileSync(path, bytes);
    const [problem, ...more] = (await errorOf(path)).problems;
    expect(more).toEqual([]);
    expect(`${problem?.line}:${problem?.column}`).toBe(place);
    expect(problem?.message).toContain(message);
  });
});

describe('ClusterFileError', () => {
  it('carries its code, every problem in the order of the file, and a hint', () => {
    const text = edited(
      ['vip: 10.88.0.100', 'vip: ten'],
      ['name: w-1', 'name: cp-1'],
      ['kind: Cluster', 'kind: Klaster'],
    );
    const outcome = (() => {
      try {
        return parseCluster(text, { path: 'site/cluster.yaml', directory: '/' });
      } catch (error) {
        return error;
      }
    })();
    expect(outcome).toMatchObject({
      name: 'KubewrightError',
      code: 'KW101',
      message: expect.stringContaining('3 errors'),
    });
    const { problems, hint } = outcome as ClusterFileError;
    expect(problems.map((problem) => problem.line)).toEqual([2, 7, 18]);
    expect(hint).toContain('kubewright validate');
    expect(formatProblem(problems[1] as (typeof problems)[number])).toBe(
      'site/cluster.yaml:7:10: spec.endpoint.vip: is not valid (found "ten", expected an IPv4 address such as 10.88.0.100)',
    );
  });

  it('never shows what may be a secret', () => {
    const secret = 'hunter2 hunter2';
    const texts = [
      `${BASE}  ssh:\n    password: "${secret}"\n`,
      `${BASE}  ssh:\n    sudoPasswordEnv: "${secret}"\n`,
      `${BASE}  ssh:\n    keyFile: "-----BEGIN OPENSSH PRIVATE KEY----- ${secret}"\n`,
      `${BASE}  runtime:\n    config: { registry: { auth: { password: "${secret}" } } }\n`,
    ];
    for (const text of texts) {
      const problems = problemsOf(text);
      expect(problems.filter((problem) => problem.severity === 'error')).toHaveLength(1);
      expect(JSON.stringify(problems)).not.toContain(secret);
    }
  });
});
