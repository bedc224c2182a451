import { beforeEach, describe, expect, test } from 'vitest';
import type { StageContext } from '../../../../../../src/activities/step.js';
import type { ClusterHost } from '../../../../../../src/cluster/types.js';
import { haproxyKeepalived } from '../../../../../../src/components/load-balancer/haproxy-keepalived/plan.js';
import { configureLoadBalancer } from '../../../../../../src/components/load-balancer/haproxy-keepalived/steps/configureLoadBalancer.js';
import {
  loadBalancerFiles,
  sha256,
} from '../../../../../../src/components/load-balancer/haproxy-keepalived/steps/files.js';
import { work } from '../../../../../../src/components/load-balancer/haproxy-keepalived/work.js';
import type { NotifySettings } from '../../../../../../src/components/load-balancer/vrrp/notify/settings.js';
import { notifierFiles } from '../../../../../../src/components/load-balancer/vrrp/notify/steps/files.js';
import { notifyProblems } from '../../../../../../src/components/load-balancer/vrrp/notify/work.js';
import { needsOf } from '../../../../../../src/engine/worker/environment.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../../../activities/fake-hosts.js';
import { clusterOf } from '../../../../cluster-fixture.js';

const SMTP = { server: 'mail.example.org', port: 587, tls: 'starttls', user: 'me', passwordEnv: 'SMTP_PW' } as const;
const NOTIFY: NotifySettings = {
  webhook: { url: null, urlEnv: 'HOOK', tokenEnv: 'TOKEN', ca: 'a certificate\n' },
  mail: { to: ['a@example.org', 'b@example.org'], from: 'k@example.org', smtp: { ...SMTP, ca: null } },
  command: ['/usr/local/sbin/on-change'],
};
const SECRETS: Record<string, string> = {
  HOOK: 'https://hooks.example.org/T0/quiet',
  TOKEN: 'Zq7"en\\1',
  SMTP_PW: 'pass word',
};

const PROGRAM = '/usr/local/lib/kubewright/notify-vip';
const UNIT = '/etc/systemd/system/kubewright-vip-notify.service';
const WEBHOOK = '/etc/kubewright/vip-notify/webhook.curl';
const CA = '/etc/kubewright/vip-notify/webhook-ca.pem';
const MAIL = '/etc/kubewright/vip-notify/mail.curl';

function clusterWith(notify: NotifySettings | null) {
  const cluster = clusterOf({ controlPlanes: 3, workers: 1 });
  cluster.loadBalancer = { type: 'haproxy-keepalived', source: 'distribution', ...(notify && { notify }) };
  return cluster;
}

let host: FakeHost;
let context: StageContext;

/** A host on which all is as the step leaves it, with these settings. */
function settle(present: NotifySettings | null, wanted = present, secrets = SECRETS): void {
  const before = clusterWith(present);
  const [self] = before.hosts as [ClusterHost];
  const hosts = fakeHosts(before);
  host = hostIn(hosts, 'cp-1').fact('interface', 'eth0').fact('answers', '');
  const secret = (name: string) => secrets[name];
  context = { ...contextAmong(hosts, clusterWith(wanted), 'configureLoadBalancer', 'cp-1'), secret };
  const files = loadBalancerFiles(before, self, 'eth0', undefined);
  for (const { path, content } of files) host.fact(`file:${path}`, sha256(content));
  for (const service of ['haproxy', 'keepalived'] as const) {
    const config = files.find(
      ({ path }) => path === `/etc/${service}/${service === 'haproxy' ? 'haproxy.cfg' : 'keepalived.conf'}`,
    );
    host.fact(`${service}-active`, 'active').fact(`${service}-enabled`, 'enabled');
    host.fact(`${service}-loaded`, `${sha256(config?.content ?? '')}  -`);
  }
  const own = notifierFiles({ cluster: before, secret: (name) => SECRETS[name] }, self);
  for (const { path, content } of own) host.fact(`notifier:${path}`, sha256(content));
  const program = own.find(({ path }) => path === PROGRAM);
  if (program === undefined) return;
  host.fact('notifier-active', 'active').fact('notifier-enabled', 'enabled');
  host.fact('notifier-loaded', `${sha256(program.content)}  -`);
}

const changes = async () => (await configureLoadBalancer.probe(context)).changes;
const apply = async () => configureLoadBalancer.apply(context, await configureLoadBalancer.probe(context));

beforeEach(() => settle(NOTIFY));

describe('the step', () => {
  test('is done where all of it runs, and where nobody is told', async () => {
    expect(await changes()).toEqual([]);
    settle(null);
    expect(await changes()).toEqual([]);
  });

  test('brings it to a cluster that lives without: the pipe is there before keepalived is told of it', async () => {
    settle(null, NOTIFY);
    expect(await changes()).toEqual([
      'write /etc/keepalived/keepalived.conf',
      `write ${CA}`,
      `write ${WEBHOOK}`,
      `write ${MAIL}`,
      `write ${PROGRAM}`,
      `write ${UNIT}`,
      'start kubewright-vip-notify',
      'reload keepalived',
    ]);
    await apply();
    expect(host.files.get('/etc/keepalived/keepalived.conf')).toContain(
      'vrrp_notify_fifo /run/kubewright/vip-events\n',
    );
    expect(host.files.get(UNIT)).toContain('mkfifo -m 600 /run/kubewright/vip-events');
    expect(host.durables[0]?.script).toMatch(
      /bring_up kubewright-vip-notify restart\nbring_up keepalived reload-or-restart\n/,
    );
  });

  test('writes secrets into files for root alone, and nowhere else', async () => {
    settle(null, NOTIFY);
    await apply();
    expect(host.files.get(WEBHOOK)).toContain('url = "https://hooks.example.org/T0/quiet"\n');
    expect(host.files.get(WEBHOOK)).toContain('header = "Authorization: Bearer Zq7\\"en\\\\1"\n');
    expect(host.files.get(WEBHOOK)).toContain(`cacert = "${CA}"\n`);
    expect(host.files.get(MAIL)).toMatch(/^user = "me:pass word"$/m);
    expect(host.files.get(MAIL)).toMatch(/^ssl-reqd$/m);
    expect(host.files.get(MAIL)?.match(/^mail-rcpt = .*$/gm)).toHaveLength(2);
    const [self] = context.cluster.hosts as [ClusterHost];
    for (const { path, mode } of notifierFiles(context, self)) {
      if (path.startsWith('/etc/kubewright/')) expect({ path, mode }).toEqual({ path, mode: 0o600 });
    }
    const elsewhere = [...host.files].filter(([path]) => path !== WEBHOOK && path !== MAIL);
    const said = JSON.stringify([elsewhere, host.durables, host.scripts, context.cluster]);
    for (const secret of ['T0/quiet', 'Zq7', 'pass word']) expect(said).not.toContain(secret);
  });

  test('sees another secret, and writes it without a restart of anything', async () => {
    settle(NOTIFY, NOTIFY, { ...SECRETS, TOKEN: 'another' });
    expect(await changes()).toEqual([`write ${WEBHOOK}`]);
    await apply();
    expect(host.files.get(WEBHOOK)).toContain('Bearer another');
    expect(host.durables[0]?.script).not.toContain('bring_up kubewright');
  });

  test('takes a channel away with its secret, and all of it with the key', async () => {
    settle(NOTIFY, { ...NOTIFY, mail: null });
    expect(await changes()).toEqual([`write ${PROGRAM}`, `remove ${MAIL}`, 'start kubewright-vip-notify']);
    await apply();
    expect(host.durables[0]?.script).toContain(`rm -f ${MAIL}\n`);
    settle(NOTIFY, null);
    expect(await changes()).toContain(`remove ${UNIT}`);
    await apply();
    const script = host.durables[0]?.script ?? '';
    // keepalived first: it would write to a pipe that nobody reads.
    expect(script.indexOf('bring_up keepalived')).toBeLessThan(
      script.indexOf('disable --quiet --now kubewright-vip-notify'),
    );
    // Stopped in the moment in which it is to be started again, it would stay in the list of failed units.
    expect(script.indexOf('daemon-reload\nsystemctl reset-failed kubewright-vip-notify')).toBeGreaterThan(0);
    expect(script).toContain(PROGRAM);
    expect(host.files.get('/etc/keepalived/keepalived.conf')).not.toContain('vrrp_notify_fifo');
  });

  test('starts it anew where it does not run with these settings', async () => {
    host.fact('notifier-active', 'failed');
    expect(await changes()).toEqual(['start kubewright-vip-notify']);
    host.fact('notifier-active', 'active').fact('notifier-loaded', `${'0'.repeat(64)}  -`);
    expect(await changes()).toEqual(['start kubewright-vip-notify']);
  });

  test.each([
    [{ ...SECRETS, TOKEN: '' }, 'KW458', 'TOKEN'],
    [{ ...SECRETS, TOKEN: 'a\nurl = "http://evil.example"' }, 'KW459', 'TOKEN'],
    [{ ...SECRETS, HOOK: 'file:///etc/shadow' }, 'KW459', 'HOOK'],
  ])('refuses a secret that is missing or more than a value', async (secrets, code, named) => {
    settle(NOTIFY, NOTIFY, secrets);
    context = { ...context, secret: (name) => secrets[name as keyof typeof secrets] || undefined };
    const error = await configureLoadBalancer.probe(context).catch((thrown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringContaining(named) });
    expect(error.message).not.toContain('evil');
  });
});

describe('before the first change', () => {
  test('secrets that nobody gave and programs that no control plane has are told, all at once', async () => {
    settle(NOTIFY, { ...NOTIFY, mail: { to: ['a@example.org'], from: 'k@example.org', smtp: null } }, {});
    host.fact('program-0', '').fact('program-1', '');
    const problems = await notifyProblems(context);
    expect(problems.map(({ code, what }) => `${code} ${what}`)).toEqual([
      expect.stringMatching(/^KW346 .* HOOK,/),
      expect.stringMatching(/^KW346 .* TOKEN,/),
      expect.stringMatching(/^KW347 cp-2, cp-3 cannot run sendmail,/),
      expect.stringMatching(/^KW347 cp-2, cp-3 cannot run \/usr\/local\/sbin\/on-change,/),
    ]);
  });

  test('and are part of what the load balancer checks', async () => {
    settle(NOTIFY, NOTIFY, {});
    host.fact('route', '10.88.0.100 dev eth0');
    const problems = await work.checkTogether(context, []);
    expect(problems.map(({ code }) => code)).toContain('KW346');
  });
});

test('the worker is started with the variables, and curl comes with the packages where it is needed', () => {
  expect(needsOf(clusterWith(NOTIFY)).variables).toEqual(['HOOK', 'SMTP_PW', 'TOKEN']);
  expect(needsOf(clusterWith(null)).variables).toEqual([]);
  const packages = (notify: NotifySettings | null, role: 'control-plane' | 'worker' = 'control-plane') =>
    haproxyKeepalived.packages(clusterWith(notify), role).install;
  expect(packages(NOTIFY)).toContain('curl');
  expect(packages(NOTIFY, 'worker')).toEqual([]);
  expect(packages({ ...NOTIFY, webhook: null, mail: null })).not.toContain('curl');
});
