import { execa } from 'execa';
import { beforeEach, describe, expect, test } from 'vitest';
import { gatherFacts } from '../../../../../src/activities/remote-facts.js';
import type { StageContext } from '../../../../../src/activities/step.js';
import type { ClusterHost } from '../../../../../src/cluster/types.js';
import { configureLoadBalancer } from '../../../../../src/components/load-balancer/haproxy-keepalived/steps/configureLoadBalancer.js';
import {
  loadBalancerFiles,
  sha256,
} from '../../../../../src/components/load-balancer/haproxy-keepalived/steps/files.js';
import { KubewrightError } from '../../../../../src/errors.js';
import type { RemoteHost } from '../../../../../src/hosts/types.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../../activities/fake-hosts.js';
import { clusterOf } from '../../../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 0 });
cluster.loadBalancer = { type: 'haproxy-keepalived', source: 'distribution' };
const [self] = cluster.hosts as [ClusterHost];
const files = loadBalancerFiles(cluster, self, 'eth0', undefined);

let host: FakeHost;
let context: StageContext;

beforeEach(() => {
  const hosts = fakeHosts(cluster);
  host = hostIn(hosts, 'cp-1');
  context = contextAmong(hosts, cluster, 'configureLoadBalancer', 'cp-1');
  host.fact('interface', 'eth0').fact('answers', '');
  for (const { path, content } of files) host.fact(`file:${path}`, sha256(content));
  for (const service of ['haproxy', 'keepalived'] as const) {
    const config = files.find(({ path }) => path.endsWith(service === 'haproxy' ? 'haproxy.cfg' : 'keepalived.conf'));
    host.fact(`${service}-active`, 'active').fact(`${service}-enabled`, 'enabled');
    host.fact(`${service}-loaded`, `${sha256(config?.content ?? '')}  -`);
  }
});

describe('is done only when both run with exactly our configuration', () => {
  test('and then says so', async () => {
    expect(await configureLoadBalancer.probe(context)).toMatchObject({ done: true, changes: [] });
  });

  test.each([
    ['keepalived-active', 'inactive', 'start keepalived'],
    ['haproxy-loaded', `${'0'.repeat(64)}  -`, 'reload haproxy'],
    ['keepalived-enabled', 'disabled', 'start keepalived at boot'],
    ['file:/etc/haproxy/haproxy.cfg', 'something else', 'write /etc/haproxy/haproxy.cfg'],
  ])('not when %s is %s', async (fact, value, change) => {
    host.fact(fact, value);
    expect(await configureLoadBalancer.probe(context)).toMatchObject({ done: false, changes: [change] });
  });

  test('not when HAProxy runs and does not answer', async () => {
    host.facts.delete('answers');
    expect(await configureLoadBalancer.probe(context)).toMatchObject({ done: false, changes: ['reload haproxy'] });
  });

  test('and not on a bare host', async () => {
    host.facts.clear();
    host.fact('interface', 'eth0');
    const { done, changes } = await configureLoadBalancer.probe(context);
    expect(done).toBe(false);
    expect(changes).toContain('start haproxy');
  });
});

test('systemd never gives either up: at boot they may end again and again until their address is there', () => {
  for (const service of ['haproxy', 'keepalived']) {
    const dropIn = files.find(({ path }) => path.endsWith(`${service}.service.d/10-kubewright.conf`));
    expect(dropIn?.content).toMatch(/^\[Unit\]\nStartLimitIntervalSec=0\n\n\[Service\]\n/m);
    expect(dropIn?.content).toMatch(/^Restart=always\nRestartSec=1$/m);
  }
});

test('an address that no card carries is named', async () => {
  host.facts.delete('interface');
  await expect(configureLoadBalancer.probe(context)).rejects.toMatchObject({ code: 'KW461', host: 'cp-1' });
});

test('a host that does not tell its addresses is asked again, and not told that it lacks one', async () => {
  host.cannotTell('interface');
  await expect(configureLoadBalancer.probe(context)).rejects.toMatchObject({ code: 'KW433', transient: true });
});

test.each([
  ['true', 'no'],
  ["echo '2: eth0    inet 10.88.0.11/24 scope global eth0'", 'yes'],
  ['false', 'unknown'],
])('in a real bash, where ip is `%s`, it is %s that a card carries the address', async (ip, is) => {
  await configureLoadBalancer.probe(context);
  const [, asked = ''] = /(card\(\) \{[\s\S]*?ask interface card \S+)/.exec(host.log) ?? [];
  const run = async (script: string) => ({ ...(await execa('bash', ['--norc', '-c', script])), durationMs: 1 });
  const local = { name: 'cp-1', run } as unknown as RemoteHost;
  const facts = await gatherFacts(local, `ip() { ${ip}; }\n${asked}`, new AbortController().signal);
  const answer = facts.answer('interface', '');
  expect(answer.is).toBe(is);
  if (answer.is === 'yes') expect(answer.value).toBe('eth0');
});

describe('a new configuration', () => {
  beforeEach(() => {
    host.fact('file:/etc/haproxy/haproxy.cfg', 'old').fact('haproxy-loaded', 'old');
  });

  test('is read by both before anything that runs is replaced', async () => {
    host.answer('--config-test', { exitCode: 2, stdout: '[ALERT] parsing [haproxy.cfg:3]' });
    await expect(
      configureLoadBalancer.apply(context, await configureLoadBalancer.probe(context)),
    ).rejects.toMatchObject({
      code: 'KW462',
      output: '[ALERT] parsing [haproxy.cfg:3]',
    });
    expect([...host.files.keys()]).toEqual(['/usr/local/lib/kubewright/check-haproxy']);
  });

  test('is loaded by what it concerns, and by nothing else', async () => {
    await configureLoadBalancer.apply(context, await configureLoadBalancer.probe(context));
    expect(host.files.get('/etc/haproxy/haproxy.cfg')).toContain('bind *:8443');
    expect(host.files.has('/etc/keepalived/keepalived.conf')).toBe(false);
    const [activation] = host.durables;
    expect(activation?.script).toContain('bring_up haproxy');
    expect(activation?.script).not.toContain('bring_up keepalived');
  });

  test('that is not loaded is KW463 with what the services said; another failure stays what it is', async () => {
    host.durableResult = { exitCode: 1, result: 'exit-code', output: 'bind: Address already in use' };
    const apply = async () => configureLoadBalancer.apply(context, await configureLoadBalancer.probe(context));
    await expect(apply()).rejects.toMatchObject({ code: 'KW463', output: 'bind: Address already in use' });
    host.remote.runDurable = async () => Promise.reject(new KubewrightError('KW425', 'gone', { transient: true }));
    await expect(apply()).rejects.toMatchObject({ code: 'KW425', transient: true });
  });

  test('has a command of its own: the end of one that loaded another configuration is not taken for its', async () => {
    await configureLoadBalancer.apply(context, await configureLoadBalancer.probe(context));
    const wider = structuredClone(cluster);
    wider.endpoint.port = 9443;
    const other = contextAmong(new Map([['cp-1', host]]), wider, 'configureLoadBalancer', 'cp-1');
    await configureLoadBalancer.apply(other, await configureLoadBalancer.probe(other));
    expect(host.durables[0]?.script).not.toBe(host.durables[1]?.script);
  });

  test('of keepalived is tested with a script whose directories are only root’s: its own may lie below /usr/local/lib', async () => {
    await configureLoadBalancer.apply(context, await configureLoadBalancer.probe(context));
    const check = host.scripts.find(({ script }) => script.includes('--config-test'))?.script;
    expect(check).toContain('script "/bin/true alive"');
    expect(check).not.toContain('check-haproxy alive');
  });
});
