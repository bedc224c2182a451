import { rmSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { StageContext } from '../../../../../src/activities/step.js';
import type { ClusterHost } from '../../../../../src/cluster/types.js';
import { haproxyKeepalived } from '../../../../../src/components/load-balancer/haproxy-keepalived/plan.js';
import { configureLoadBalancer } from '../../../../../src/components/load-balancer/haproxy-keepalived/steps/configureLoadBalancer.js';
import {
  loadBalancerFiles,
  sha256,
} from '../../../../../src/components/load-balancer/haproxy-keepalived/steps/files.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../../activities/fake-hosts.js';
import { BUNDLE, layBundle } from '../../../activities/prepare/fixtures.js';
import { clusterOf } from '../../../cluster-fixture.js';

const RELEASE = '/opt/kubewright/load-balancer/2.6.12-2.2.7-0a1b2c3d';
const SERVICES = ['haproxy', 'keepalived'] as const;

const cluster = clusterOf({ controlPlanes: 3, workers: 0 });
const [self] = cluster.hosts as [ClusterHost];
cluster.kubernetes.version = BUNDLE.kubernetesVersion;
const bundled = layBundle();
Object.assign(cluster.packages, { bundle: bundled });
afterAll(() => rmSync(bundled, { recursive: true, force: true }));

let host: FakeHost;
let context: StageContext;

/** Everything as a finished step leaves it. */
function settle(source: 'bundle' | 'distribution'): void {
  const wanted = structuredClone(cluster);
  wanted.loadBalancer = { type: 'haproxy-keepalived', source };
  const hosts = fakeHosts(wanted);
  host = hostIn(hosts, 'cp-1').answer('uname -m', 'x86_64\n');
  context = contextAmong(hosts, wanted, 'configureLoadBalancer', 'cp-1');
  const files = loadBalancerFiles(wanted, self, 'eth0', source === 'bundle' ? RELEASE : undefined);
  host
    .fact('interface', 'eth0')
    .fact('answers', '')
    .fact('account', 'haproxy:x:998:998::/var/lib/haproxy:/sbin/nologin');
  for (const { path, content } of files) host.fact(`file:${path}`, sha256(content));
  for (const service of SERVICES) {
    const directory = source === 'bundle' ? RELEASE : '/usr/sbin';
    const config = files.find(({ path }) => path.endsWith(service === 'haproxy' ? 'haproxy.cfg' : 'keepalived.conf'));
    host.fact(`${service}-active`, 'active').fact(`${service}-enabled`, 'enabled');
    host.fact(`${service}-loaded`, `${sha256(config?.content ?? '')}  -`);
    host.fact(`${service}-program`, `${directory}/${service}`);
    host.fact(`/usr/local/bin/${service}`, `${RELEASE}/${service}`);
  }
}

const apply = async () => configureLoadBalancer.apply(context, await configureLoadBalancer.probe(context));
const changes = async () => (await configureLoadBalancer.probe(context)).changes;

beforeEach(() => settle('bundle'));

test('nothing of the distribution is needed, and the step does not wait for its packages', () => {
  expect(haproxyKeepalived.packages(cluster, 'control-plane').install).toEqual([]);
  const { steps } = haproxyKeepalived.install(cluster);
  expect(steps.find(({ id }) => id === 'cp-1/load-balancer')?.needs).toEqual(['cp-1/system']);
  const former = structuredClone(cluster);
  former.loadBalancer = { type: 'haproxy-keepalived', source: 'distribution' };
  expect(haproxyKeepalived.packages(former, 'control-plane').install).toEqual(['haproxy', 'keepalived']);
  expect(haproxyKeepalived.install(former).steps[0]?.needs).toEqual(['cp-1/packages']);
});

test('a cluster that was recorded before there was a choice keeps the distribution’s', () => {
  const recorded = structuredClone(cluster);
  recorded.loadBalancer = { type: 'haproxy-keepalived' } as typeof recorded.loadBalancer;
  expect(haproxyKeepalived.packages(recorded, 'control-plane').install).toEqual(['haproxy', 'keepalived']);
});

describe('is done when the bundle’s programs run with our configuration', () => {
  test('and then changes nothing', async () => {
    expect(await configureLoadBalancer.probe(context)).toMatchObject({ done: true, changes: [] });
  });

  test('not when a file of the release is missing', async () => {
    host.lacks.add(`${RELEASE}/libc.so.6`);
    expect(await changes()).toEqual([`upload HAProxy and keepalived to ${RELEASE}`]);
  });

  test('not when another program runs: that one is restarted, for a reload would keep it', async () => {
    host.fact('haproxy-program', '/usr/sbin/haproxy');
    expect(await changes()).toEqual(['restart haproxy, which is /usr/sbin/haproxy']);
    await apply();
    const [activation] = host.durables;
    expect(activation?.script).toContain('bring_up haproxy restart\n');
    expect(activation?.script).not.toContain('bring_up keepalived');
  });

  test('a host that does not tell which program runs is asked again, and nothing is restarted', async () => {
    host.cannotTell('keepalived-program');
    await expect(configureLoadBalancer.probe(context)).rejects.toMatchObject({ code: 'KW433', transient: true });
  });

  test('a new configuration alone is loaded without a restart', async () => {
    host.fact('file:/etc/haproxy/haproxy.cfg', 'old').fact('haproxy-loaded', 'old');
    await apply();
    expect(host.durables[0]?.script).toContain('bring_up haproxy reload-or-restart\n');
  });
});

describe('on a bare host', () => {
  beforeEach(() => {
    host.facts.clear();
    host.fact('interface', 'eth0');
  });

  test('programs, libraries, account and units are there before either is started', async () => {
    await apply();
    expect(host.uploads.map(({ target }) => target)).toEqual([
      `${RELEASE}/haproxy`,
      `${RELEASE}/keepalived`,
      `${RELEASE}/libc.so.6`,
    ]);
    expect(host.log).toContain('systemd-sysusers /etc/sysusers.d/kubewright-haproxy.conf');
    expect(host.files.get('/etc/sysusers.d/kubewright-haproxy.conf')).toMatch(/^u haproxy - /m);
    for (const service of SERVICES) {
      expect(host.files.get(`/etc/systemd/system/${service}.service`)).toContain(`ExecStart=${RELEASE}/${service} `);
    }
    expect(host.durables[0]?.script).toMatch(/bring_up haproxy[\s\S]*bring_up keepalived/);
  });

  test('the configuration is tested by the bundle’s programs', async () => {
    await apply();
    const check = host.scripts.find(({ script }) => script.includes('--config-test'))?.script;
    expect(check).toContain(`${RELEASE}/haproxy -c`);
    expect(check).toContain(`${RELEASE}/keepalived --config-test`);
  });

  test('an account that cannot be made is KW457, and nothing is started', async () => {
    host.answer('systemd-sysusers', { exitCode: 1, stdout: 'Failed to write /etc/passwd: Read-only file system' });
    await expect(apply()).rejects.toMatchObject({ code: 'KW457', output: expect.stringContaining('Read-only') });
    expect(host.durables).toEqual([]);
  });
});

describe('back to the distribution’s programs', () => {
  beforeEach(() => settle('distribution'));

  test('units of the bundle’s go before anything is restarted; those of others stay', async () => {
    const unit = '/etc/systemd/system/haproxy.service';
    host.fact(`unit:${unit}`, '# Written by Kubewright: HAProxy of /opt/kubewright/load-balancer/1.');
    host.fact('unit:/etc/systemd/system/keepalived.service', '# Mine');
    host.fact('haproxy-program', `${RELEASE}/haproxy`);
    expect(await changes()).toEqual([`remove ${unit}`, `restart haproxy, which is ${RELEASE}/haproxy`]);
    await apply();
    expect(host.log).toContain(`head -n 1 ${unit} | grep -q '^# Written by Kubewright: ' && rm -f ${unit}\n`);
  });
});
