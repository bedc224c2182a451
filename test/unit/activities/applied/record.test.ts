import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import {
  APPLIED_CONFIG_MAP,
  APPLIED_PATH,
  type AppliedSpec,
  parseApplied,
  renderApplied,
  renderConfigMap,
  textOfConfigMap,
} from '../../../../src/activities/applied/record/applied-spec.js';
import { readAppliedSpec } from '../../../../src/activities/applied/record/read.js';
import { awaitRecord, recordApplied } from '../../../../src/activities/applied/record/recordApplied.js';
import { carryOut } from '../../../../src/activities/step.js';
import type { StepInput } from '../../../../src/activities/types.js';
import { BUILD } from '../../../../src/build.js';
import { parseCluster } from '../../../../src/cluster/load.js';
import type { Bastion, Cluster, ClusterHost, SshSettings } from '../../../../src/cluster/types.js';
import { PLAN_FORMAT } from '../../../../src/plan/run.js';
import { clusterOf } from '../../cluster-fixture.js';
import { BashHosts } from '../bash-hosts.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 2, etcd: 3 });
const COPY = APPLIED_PATH.slice(1);
const CONTROL_PLANES = ['cp-1', 'cp-2', 'cp-3'];

let hosts: BashHosts;

/** An API server on each control plane, in front of one store; scripts run in a real bash. */
const KUBECTL = `case $* in
  *'--raw /readyz'*) echo ok ;;
  *'get configmap ${APPLIED_CONFIG_MAP} --ignore-not-found'*) [ ! -e "$SHARED/refuses" ] || { echo 'etcdserver: leader changed' >&2; exit 1; }
    cat "$SHARED/map" 2>/dev/null || true ;;
  *'apply --server-side --force-conflicts'*) cat >"$SHARED/given"
    n=$(cat "$SHARED/failures" 2>/dev/null || echo 0)
    [ "$n" = 0 ] || { echo $((n - 1)) >"$SHARED/failures"; echo 'etcdserver: leader changed' >&2; exit 1; }
    cp "$SHARED/given" "$SHARED/map"; echo write >>"$SHARED/writes" ;;
  *) echo "what is $*" >&2; exit 1 ;;
esac`;

beforeEach(() => {
  hosts = new BashHosts(cluster);
  hosts.program('kubectl', KUBECTL);
  hosts.program('sleep', ':');
  for (const name of CONTROL_PLANES) hosts.write(name, 'etc/kubernetes/admin.conf');
});
afterEach(() => hosts.remove());

const context = (input: Partial<StepInput> = {}) =>
  hosts.context('recordApplied', null, new AbortController().signal, () => {}, {
    input,
    options: { run: { workflowId: 'cluster/demo', runId: 'run-1' } },
  });
const record = (input: Partial<StepInput> = {}) => carryOut(recordApplied, context(input));
const shared = (name: string, text: string) => writeFileSync(join(hosts.root, name), text);
const inCluster = () => textOfConfigMap(hosts.shared('map'));
const everywhere = () => [inCluster(), ...CONTROL_PLANES.map((name) => hosts.read(name, COPY) ?? '')];
const specIn = (text: string): AppliedSpec => {
  const copy = parseApplied(text);
  if (copy.is !== 'valid') throw new Error(`not valid: ${copy.is}`);
  return copy.spec;
};

describe('the record of what was applied', () => {
  it('is the same in the cluster and on each control plane, and on no other host', async () => {
    const { outcome, summary, data } = await record();
    expect(outcome).toBe('changed');
    expect(summary).toContain('generation 1: Kubernetes 1.34.3, 8 hosts, by kubewright');
    expect(new Set(everywhere()).size).toBe(1);
    expect(specIn(inCluster())).toMatchObject({
      generation: 1,
      operation: 'install',
      planFormat: PLAN_FORMAT,
      build: BUILD,
      run: 'run-1',
      leftOut: [],
      cluster,
    });
    expect(data).toMatchObject({ generation: 1, version: '1.34.3', hosts: 8, run: 'run-1' });
    for (const name of ['w-1', 'w-2', 'etcd-1']) expect(hosts.read(name, COPY)).toBeUndefined();
  });

  it('is not written again by a run that applied the same', async () => {
    await record();
    const before = everywhere();
    expect(await record()).toMatchObject({ outcome: 'unchanged' });
    expect(everywhere()).toEqual(before);
    expect(hosts.shared('writes')).toBe('write\n');
  });

  it('is written although calls of kubectl fail in an election, and told when none goes well', async () => {
    shared('failures', '2');
    expect(await record()).toMatchObject({ outcome: 'changed' });
    rmSync(join(hosts.root, 'map'));
    shared('failures', '99');
    await expect(record()).rejects.toMatchObject({ code: 'KW593', output: expect.stringContaining('leader changed') });
  });

  it('grows by a generation when something else was applied', async () => {
    await record();
    const changed = { ...cluster, sysctls: { 'vm.max_map_count': '262144' } };
    expect(await record({ cluster: changed })).toMatchObject({ outcome: 'changed' });
    expect(everywhere().map((text) => specIn(text).generation)).toEqual([2, 2, 2, 2]);
    expect(specIn(inCluster()).cluster.sysctls).toEqual({ 'vm.max_map_count': '262144' });
  });

  it('has the whole cluster, and says which hosts a person left out', async () => {
    const without = { ...cluster, hosts: cluster.hosts.filter(({ name }) => name !== 'w-2') };
    const { summary } = await record({ cluster: without, wholeCluster: cluster });
    expect(summary).toContain('7 hosts, without w-2');
    expect(specIn(inCluster())).toMatchObject({ leftOut: ['w-2'], cluster: { hosts: cluster.hosts } });
  });

  it('has no lines of a file: a comment more is nothing that was applied', async () => {
    await record({ cluster: { ...cluster, places: { 'metadata.name': 3 } } });
    expect(inCluster()).not.toContain('places');
    expect((await record({ cluster: { ...cluster, places: { 'metadata.name': 9 } } })).outcome).toBe('unchanged');
  });
});

describe('a copy of it', () => {
  it.each(['cp-1', 'cp-3'])(
    'that is missing on %s is told, and brought there; the others stay untouched',
    async (name) => {
      await record();
      const before = everywhere();
      rmSync(join(hosts.root, name, COPY));
      const probe = await recordApplied.probe(context());
      expect(probe.changes).toEqual([`write it on ${name}, where it is missing`]);
      expect((await record()).outcome).toBe('changed');
      expect(everywhere()).toEqual(before);
    },
  );

  it('that is missing in the cluster is written again from those of the hosts', async () => {
    await record();
    const before = everywhere();
    rmSync(join(hosts.root, 'map'));
    expect((await recordApplied.probe(context())).changes).toEqual(['write it into the cluster, where it is missing']);
    await record();
    expect(everywhere()).toEqual(before);
  });

  it('that is older loses, wherever it is', async () => {
    await record();
    const old = hosts.read('cp-2', COPY) ?? '';
    await record({ cluster: { ...cluster, sysctls: { 'vm.swappiness': '1' } } });
    hosts.write('cp-2', COPY, old);
    shared('map', renderConfigMap(old));
    const { answer, copies } = await readAppliedSpec(context());
    expect(answer).toMatchObject({
      is: 'yes',
      value: { generation: 2, cluster: { sysctls: { 'vm.swappiness': '1' } } },
    });
    expect(copies.map(({ state }) => state)).toEqual(['older', 'same', 'older', 'same']);
  });

  it.each([
    ['another version', (text: string) => text.replace('"1.34.3"', '"1.34.4"')],
    ['a host less', (text: string) => text.replaceAll('w-2', 'w-9')],
    ['cut short', (text: string) => text.slice(0, 300)],
    ['emptied', () => ''],
  ])('that was changed by hand is not believed: %s', async (_what, edit) => {
    await record();
    const good = hosts.read('cp-1', COPY) ?? '';
    hosts.write('cp-2', COPY, edit(good));
    const { answer, copies } = await readAppliedSpec(context());
    expect(answer).toMatchObject({ is: 'yes', value: { cluster } });
    expect(copies.find(({ host }) => host === 'cp-2')?.state).toBe('edited');
    expect((await recordApplied.probe(context())).changes).toEqual([
      'write it anew on cp-2, where it was changed by hand',
    ]);
    await record();
    expect(everywhere()).toEqual([good, good, good, good]);
  });

  it('that was changed by hand everywhere leaves nothing to go by, and is written anew', async () => {
    await record();
    const edited = inCluster().replace('"1.34.3"', '"1.34.4"');
    for (const name of CONTROL_PLANES) hosts.write(name, COPY, edited);
    shared('map', renderConfigMap(edited));
    expect((await readAppliedSpec(context())).answer).toMatchObject({
      is: 'unknown',
      why: expect.stringMatching(/ConfigMap .* and .* on cp-1 and .* was changed by hand/),
    });
    await record();
    expect(everywhere().map((text) => specIn(text).cluster.kubernetes.version)).toEqual(Array(4).fill('1.34.3'));
  });

  it.each(['format', 'planFormat'])('that a newer version wrote (%s) is refused by name, and stays', async (key) => {
    await record();
    const newer = JSON.stringify({ ...JSON.parse(inCluster()), [key]: 99, build: '9.9.0' });
    hosts.write('cp-2', COPY, newer);
    await expect(record()).rejects.toMatchObject({
      code: 'KW592',
      message: expect.stringMatching(/kubewright 9\.9\.0.*on cp-2/),
      hint: expect.stringContaining('kubewright 9.9.0 or a later one'),
    });
    expect(hosts.read('cp-2', COPY)).toBe(newer);
  });

  it('is no record where there is no cluster', async () => {
    for (const name of CONTROL_PLANES) rmSync(join(hosts.root, name, 'etc/kubernetes/admin.conf'));
    expect((await readAppliedSpec(context())).answer.is).toBe('no');
  });

  it('that cannot be asked for is neither there nor missing', async () => {
    shared('refuses', '');
    const { answer, copies } = await readAppliedSpec(context());
    expect(answer).toMatchObject({ is: 'unknown', why: expect.stringContaining('leader changed') });
    expect(copies[0]?.state).toBe('unknown');
    const waiting = awaitRecord(context(), { patienceMs: 0, pollMs: 1 });
    await expect(waiting).rejects.toMatchObject({ code: 'KW433', transient: true });
    expect(hosts.shared('writes')).toBe('');
  });

  it('of the hosts tells what was applied while the cluster does not answer', async () => {
    await record();
    shared('refuses', '');
    const { answer } = await readAppliedSpec(context());
    expect(answer).toMatchObject({ is: 'yes', value: { generation: 1 } });
    expect((await recordApplied.probe(context())).done).toBe(false);
  });
});

/** Names of a thousand hosts as large networks have them, with labels. */
function large(): Cluster {
  const one = clusterOf({ controlPlanes: 5, workers: 995 });
  for (const [index, host] of one.hosts.entries()) {
    host.name = `worker-${String(index).padStart(4, '0')}.rack-${index % 40}.fra1.example.org`;
    host.labels = { 'topology.kubernetes.io/zone': `fra1-${index % 3}`, 'example.org/rack': `rack-${index % 40}` };
  }
  return one;
}

describe('its size', () => {
  it('fits into a ConfigMap with a thousand hosts, and is read as it was written', () => {
    const spec = { generation: 7, operation: 'install', planFormat: PLAN_FORMAT, build: BUILD } as const;
    const text = renderApplied({ ...spec, run: 'r', at: '2026-01-01T00:00:00Z', leftOut: [], cluster: large() });
    expect(Buffer.byteLength(text)).toBeGreaterThan(512 * 1024);
    const map = renderConfigMap(text);
    expect(Buffer.byteLength(map)).toBeLessThan(256 * 1024);
    expect(textOfConfigMap(map)).toBe(text);
    expect(specIn(text).cluster.hosts).toHaveLength(1000);
  });
});

describe('secrets', () => {
  /** Every field of the way to a host. One that is added has to say here how it keeps a secret out. */
  const WAYS: Record<keyof SshSettings | `bastion.${keyof Bastion}`, 'no secret' | 'a path' | 'a name'> = {
    client: 'no secret',
    address: 'no secret',
    port: 'no secret',
    user: 'no secret',
    keyFiles: 'a path',
    agent: 'no secret',
    configFile: 'a path',
    knownHostsFile: 'a path',
    hostKeys: 'no secret',
    bastion: 'no secret',
    sudoPasswordEnv: 'a name',
    pinned: 'no secret',
    'bastion.address': 'no secret',
    'bastion.port': 'no secret',
    'bastion.user': 'no secret',
    'bastion.keyFiles': 'a path',
  };

  it('are on no way to a host: a file is named and not read, a password by its variable', () => {
    const directory = mkdtempSync(join(tmpdir(), 'kubewright-record-'));
    try {
      writeFileSync(join(directory, 'id'), 'content-of-the-key');
      process.env.RECORD_TEST_SUDO = 'value-of-the-password';
      const ssh = {
        keyFiles: ['id'],
        sudoPasswordEnv: 'RECORD_TEST_SUDO',
        bastion: { address: 'b', keyFiles: ['id'] },
      };
      const made = parsed({ ssh }, directory);
      const text = renderApplied(specOf(made));
      expect(text).not.toMatch(/content-of-the-key|value-of-the-password/);
      for (const key of Object.keys(made.hosts[0]?.ssh as SshSettings)) expect(WAYS).toHaveProperty(key);
      expect(specIn(text).cluster.hosts[0]?.ssh).toMatchObject({
        keyFiles: [join(directory, 'id')],
        sudoPasswordEnv: 'RECORD_TEST_SUDO',
      });
    } finally {
      delete process.env.RECORD_TEST_SUDO;
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('in the free parts of a file never get as far as a record: it is refused', () => {
    const where = fc.constantFrom('kubelet', 'kubeProxy', 'runtime');
    const key = fc.constantFrom('password', 'auth', 'token', 'identitytoken', 'clientSecret', 'apiKey', 'private-key');
    const path = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 3 });
    fc.assert(
      fc.property(where, path, key, (part, above, name) => {
        const config = above.reduceRight<object>((inner, step) => ({ [step]: inner }), { [name]: 's3cr3t-value' });
        const spec = part === 'runtime' ? { runtime: { config } } : { kubernetes: { [part]: { config } } };
        expect(() => parsed(spec, '/')).toThrow(
          expect.objectContaining({ output: expect.stringContaining('a secret') }),
        );
      }),
    );
  });
});

function parsed(spec: Record<string, unknown>, directory: string): Cluster {
  const { kubernetes, ...rest } = spec as { kubernetes?: object };
  const hosts = [{ name: 'cp-1', address: '10.88.0.11', role: 'control-plane' }] satisfies Partial<ClusterHost>[];
  const file = {
    apiVersion: 'kubewright.dev/v1alpha1',
    kind: 'Cluster',
    metadata: { name: 'demo' },
    spec: { kubernetes: { version: '1.34.3', ...kubernetes }, endpoint: { vip: '10.88.0.100' }, hosts, ...rest },
  };
  return parseCluster(stringify(file), { path: 'cluster.yaml', directory }).cluster;
}

function specOf(of: Cluster): AppliedSpec {
  const fixed = { generation: 1, operation: 'install', planFormat: PLAN_FORMAT, build: BUILD } as const;
  return { ...fixed, run: 'r', at: '2026-01-01T00:00:00Z', leftOut: [], cluster: of };
}
