import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { execa } from 'execa';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { renderDnsPods } from '../../../../src/activities/verify/dns-pods.js';
import { answersWith, askDnsFunction, dnsQuery } from '../../../../src/activities/verify/dns-query.js';
import { verifyDns } from '../../../../src/activities/verify/verifyDns.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';
import { layBundle } from '../prepare/fixtures.js';

const NAME = 'kubernetes.default.svc.cluster.local';

/** Header of an answer to our question with this response code, the question, and one A record. */
function answer(code: number, address: number[]): Buffer {
  const query = dnsQuery(NAME);
  const header = Buffer.from([0x4b, 0x57, 0x81, 0x80 | code, 0, 1, 0, code === 0 ? 1 : 0, 0, 0, 0, 0]);
  const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...address]);
  return Buffer.concat([header, query.subarray(12), code === 0 ? record : Buffer.alloc(0)]);
}

describe('the DNS question', () => {
  it('arrives in one datagram, the byte 0x0a in it notwithstanding', async () => {
    const server = createSocket('udp4');
    const seen: Buffer[] = [];
    server.on('message', (message, from) => {
      seen.push(message);
      server.send(answer(0, [10, 96, 0, 1]), from.port, from.address);
    });
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    const script = askDnsFunction(NAME).replace('$1/53', `$1/${server.address().port}`);
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', `${script}\nask_dns 127.0.0.1`]);
    server.close();
    expect(seen).toEqual([dnsQuery(NAME)]);
    expect(answersWith(stdout, '10.96.0.1')).toBe(true);
  });

  it('takes neither an error, nor another address, nor silence for an answer', () => {
    expect(answersWith(answer(3, [10, 96, 0, 1]).toString('hex'), '10.96.0.1')).toBe(false);
    expect(answersWith(answer(0, [10, 96, 0, 2]).toString('hex'), '10.96.0.1')).toBe(false);
    expect(answersWith('', '10.96.0.1')).toBe(false);
  });
});

it('asks from one pod on each node, wherever taints are', () => {
  const cluster = clusterOf({ controlPlanes: 3, workers: 2 });
  const pods = parseAllDocuments(renderDnsPods(cluster, cluster.hosts, { image: 'agnhost:1', check: 'dns-1' })).map(
    (pod) => pod.toJS(),
  );
  expect(pods.map((pod) => pod.spec.nodeName)).toEqual(['cp-1', 'cp-2', 'cp-3', 'w-1', 'w-2']);
  expect(pods[0].spec.tolerations).toEqual([{ operator: 'Exists' }]);
  expect(pods[0].spec.containers[0].args.at(-1)).toBe(`${NAME}.:443`);
});

it('has one more pod placed by the scheduler where that is asked for, on nodes that are well', () => {
  const cluster = clusterOf({ controlPlanes: 1, workers: 2 });
  const [well, away] = [cluster.hosts.slice(0, 2), cluster.hosts.slice(2)];
  const options = { image: 'agnhost:1', check: 'dns-1', scheduled: true };
  const pods = parseAllDocuments(renderDnsPods(cluster, well, options)).map((pod) => pod.toJS());
  const scheduled = pods.filter((pod) => pod.spec.nodeName === undefined);
  expect(scheduled).toHaveLength(1);
  const { nodeAffinity } = scheduled[0].spec.affinity;
  const terms = nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
  // The API takes one name to a field.
  const field = { key: 'metadata.name', operator: 'In' };
  expect(terms).toEqual(well.map(({ name }) => ({ matchFields: [{ ...field, values: [name] }] })));
  expect(JSON.stringify(terms)).not.toContain(away[0]?.name);
});

it('makes no pod before the hosts themselves get an answer, and remembers when pods got theirs', async () => {
  const directory = layBundle();
  const cluster = clusterOf(
    { controlPlanes: 1, workers: 1 },
    { packages: { source: 'bundle', bundle: directory, proxy: null } },
  );
  const hosts = fakeHosts(cluster);
  const found = answer(0, [10, 96, 0, 1]).toString('hex');
  const via = hostIn(hosts, 'cp-1').fact('initialised', '').fact('ready', 'ok').fact('answer', found);
  via
    .fact('nodes', 'cp-1=a\nw-1=b')
    .fact('recorded', '')
    .fact('dns', '10.96.0.10')
    .fact('api', '10.96.0.1')
    .fact('machine', 'x86_64');
  const silences: boolean[] = [];
  hostIn(hosts, 'w-1').answer('ask_dns', () => {
    silences.push(via.log.includes('apply -f'));
    return `fact answer ${silences.length < 2 ? '1 ' : `0 ${Buffer.from(found).toString('base64')}`}\nfacts end`;
  });
  const context = contextAmong(hosts, cluster, 'verifyDns', null);
  const probe = await verifyDns.probe(context);
  expect(probe.done).toBe(false);
  await verifyDns.apply(context, probe);
  expect(silences).toEqual([false, false]);
  expect(via.log).toContain('apply -f -');
  const record = via.scripts.find(({ input }) => input.includes('kubewright-checks'));
  expect(JSON.parse(record?.input ?? '')).toMatchObject({ kind: 'ConfigMap', data: { dns: expect.any(String) } });
  await rm(directory, { recursive: true });
});

describe('the script that asks from pods, in a real bash', () => {
  let directory: string;
  afterEach(() => rm(directory, { recursive: true }));

  /** Runs it with a kubectl of which every Nth call fails, and whose pods all succeed but those on `silent`. */
  async function run(every: number, silent = '', pods = 2) {
    directory = await mkdtemp(join(tmpdir(), 'kubewright-dns-'));
    const stub = `#!/bin/bash
cd ${directory}; echo >>calls
if [ $(($(wc -l <calls) % ${every})) = 0 ]; then echo 'check-w-9 w-9'; echo 'etcdserver: leader changed' >&2; exit 1; fi
case " $* " in
  # What kubectl cannot parse either: a text that does not end on its line.
  *'{"'$'\\n'*) echo 'error parsing jsonpath, unterminated quoted string' >&2; exit 1 ;;
  *' apply '*) cat >/dev/null; touch made ;;
  *' delete '*) rm -f made ;;
  *' wait '*) [ -e made ] && [ -z '${silent}' ] ;;
  *'status.phase=Succeeded'*) for name in cp-1 w-1; do [ ! -e made ] || [ $name = '${silent}' ] || echo "check-$name $name"; done ;;
  *'status.phase!=Succeeded'*) for name in ${silent}; do echo "check-$name \${name#nowhere}"; done ;;
  *' get pod check-nowhere '*PodScheduled*) printf '0/2 nodes are available' ;;
esac
`;
    await writeFile(join(directory, 'kubectl'), stub, { mode: 0o755 });
    const script = (await scriptAmongPods()).replaceAll('300', '3').replaceAll('-ge 2 ]', `-ge ${pods} ]`);
    const options = { env: { PATH: `${directory}:/usr/bin:/bin` }, reject: false, input: 'manifest' } as const;
    const result = await execa('bash', ['--norc', '-c', script], options);
    expect(await readdir(directory)).not.toContain('made');
    return result;
  }

  it('is not led astray by every third call that fails', async () => {
    expect(await run(3)).toMatchObject({ exitCode: 0 });
  });

  it('names the silent nodes, and none that a failed call printed', async () => {
    const { exitCode, stdout } = await run(3, 'w-1');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^kubewright-silent: w-1 $/m);
  });

  it('says why a pod is on no node', async () => {
    const { exitCode, stdout } = await run(3, 'nowhere', 3);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^kubewright-silent: +$/m);
    expect(stdout).toMatch(/^kubewright-unplaced: 0\/2 nodes are available$/m);
  });

  it('says that it could not ask, where no call succeeds', async () => {
    const { exitCode, stdout } = await run(1);
    expect(exitCode).toBe(75);
    expect(stdout).not.toContain('CoreDNS is not available');
  });
});

it('takes away what any check left before it begins, and at its end its own alone: a former script may still run', async () => {
  const check = (script: string) => /trap 'clear_pods (\S+=\S+) /.exec(script)?.[1] ?? '';
  const [first, second] = [await scriptAmongPods(), await scriptAmongPods()];
  expect(check(first)).toMatch(/^kubewright\.dev\/check=dns-/);
  expect(check(second)).not.toBe(check(first));
  expect(first).toContain('\nclear_pods kubewright.dev/check ||');
  const cluster = clusterOf({ controlPlanes: 1, workers: 0 });
  const [pod] = parseAllDocuments(renderDnsPods(cluster, cluster.hosts, { image: 'agnhost:1', check: 'dns-1' })).map(
    (one) => one.toJS(),
  );
  expect(pod.metadata).toMatchObject({ name: 'kubewright-dns-1-cp-1', labels: { 'kubewright.dev/check': 'dns-1' } });
});

it('does not blame DNS for an API that could not be asked', async () => {
  const failing = askFromPods(({ via }) =>
    via.answer('clear_pods', { exitCode: 75, stderr: 'etcdserver: leader changed' }),
  );
  await expect(failing).rejects.toMatchObject({
    code: 'KW433',
    transient: true,
    message: 'cannot tell whether DNS answers from pods: etcdserver: leader changed',
  });
});

it('says which bundle has no image that asks, and how to make one that has', async () => {
  let lacking = '';
  const failed = askFromPods(({ directory }) => {
    lacking = directory;
    const path = join(directory, 'bundle.json');
    const bundle = JSON.parse(readFileSync(path, 'utf8'));
    const images = bundle.images.filter(({ neededBy }: { neededBy: string }) => neededBy !== 'check');
    writeFileSync(path, JSON.stringify({ ...bundle, images }));
  });
  await expect(failed).rejects.toMatchObject({ code: 'KW734', hint: expect.stringContaining('--arch amd64 --from') });
  await expect(failed).rejects.toThrow(`The bundle ${lacking} has no image`);
});

it.each([
  ['one node', 'w-1 ', 'w-1', 'DNS did not answer from a pod on w-1'],
  ['several', 'cp-1 w-1', undefined, 'DNS did not answer from a pod on cp-1, w-1'],
  ['nobody knows where', '', undefined, 'DNS did not answer from pods'],
])('names the hosts whose pods got no answer, not the one that was asked: %s', async (_name, nodes, host, message) => {
  const said = `kubewright-silent: ${nodes}\ncheck-w-1 Error\n`;
  const failed = askFromPods(({ via }) => via.answer('clear_pods', { exitCode: 1, stdout: said }));
  await expect(failed).rejects.toMatchObject({ code: 'KW483', host, message, output: 'check-w-1 Error' });
});

/** Runs the check on hosts that all get their answer from DNS, as far as their own question goes. */
async function askFromPods(prepare: (given: { via: FakeHost; directory: string }) => void): Promise<void> {
  const directory = layBundle();
  const cluster = clusterOf(
    { controlPlanes: 1, workers: 1 },
    { packages: { source: 'bundle', bundle: directory, proxy: null } },
  );
  const hosts = fakeHosts(cluster);
  const found = answer(0, [10, 96, 0, 1]).toString('hex');
  const via = hostIn(hosts, 'cp-1').fact('initialised', '').fact('ready', 'ok').fact('answer', found);
  via.fact('nodes', 'cp-1=a\nw-1=b').fact('recorded', '').fact('dns', '10.96.0.10').fact('api', '10.96.0.1');
  via.fact('machine', 'x86_64');
  hostIn(hosts, 'w-1').fact('answer', found);
  prepare({ via, directory });
  const context = contextAmong(hosts, cluster, 'verifyDns', null);
  try {
    await verifyDns.apply(context, await verifyDns.probe(context));
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function scriptAmongPods(): Promise<string> {
  let asked: FakeHost | undefined;
  await askFromPods(({ via }) => {
    asked = via;
  });
  const script = asked?.scripts.find((one) => one.script.includes('clear_pods'))?.script;
  if (script === undefined) throw new Error('no pods were asked');
  return script;
}
