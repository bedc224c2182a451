import { basename } from 'node:path/posix';
import { beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../../../../src/activities/remote-facts.js';
import type { StageContext } from '../../../../../src/activities/step.js';
import type { ClusterHost } from '../../../../../src/cluster/types.js';
import { configureDirector } from '../../../../../src/components/load-balancer/lvs/steps/configureDirector.js';
import {
  configureRealServer,
  realServerFiles,
} from '../../../../../src/components/load-balancer/lvs/steps/configureRealServer.js';
import { configIn, directorFiles } from '../../../../../src/components/load-balancer/lvs/steps/director-files.js';
import { KubewrightError } from '../../../../../src/errors.js';
import { BashHosts } from '../../../activities/bash-hosts.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../../activities/fake-hosts.js';
import { lvsCluster } from './lvs-cluster.js';

const cluster = lvsCluster();
const director = cluster.hosts.find(({ name }) => name === 'lb-1') as ClusterHost;
const files = directorFiles(cluster, director, 'eth0', undefined);
const CONFIG = '/etc/keepalived/keepalived.conf';
const UNIT = '/etc/systemd/system/keepalived.service';

let hosts: Map<string, FakeHost>;

beforeEach(() => {
  hosts = fakeHosts(cluster);
});

describe('a director', () => {
  let host: FakeHost;
  let context: StageContext;

  /** As the finished step leaves it. */
  beforeEach(() => {
    host = hostIn(hosts, 'lb-1').fact('interface', 'eth0').fact('active', 'active').fact('enabled', 'enabled');
    for (const { path, content } of files) host.fact(`file:${basename(path)}`, digestOf(content));
    host.fact('loaded', `${digestOf(configIn(files))}  -`).fact('program', '/usr/sbin/keepalived');
    context = contextAmong(hosts, cluster, 'configureDirector', 'lb-1');
  });

  const apply = async () => configureDirector.apply(context, await configureDirector.probe(context));

  test('is done when keepalived runs with exactly this configuration', async () => {
    expect(await configureDirector.probe(context)).toMatchObject({ done: true, changes: [] });
  });

  test.each([
    ['active', 'inactive', 'start keepalived'],
    ['enabled', 'disabled', 'start keepalived at boot'],
    ['loaded', `${'0'.repeat(64)}  -`, 'reload keepalived'],
    ['file:keepalived.conf', 'old', `write ${CONFIG}`],
    [
      'program',
      '/opt/kubewright/load-balancer/1/keepalived',
      'restart keepalived, which is /opt/kubewright/load-balancer/1/keepalived',
    ],
    ['unit', '# Written by Kubewright: keepalived of /opt.', `remove ${UNIT}`],
  ])('not when %s is %s', async (fact, value, change) => {
    host.fact(fact, value);
    expect(await configureDirector.probe(context)).toMatchObject({ done: false, changes: [change] });
  });

  test('lets keepalived read a new configuration before it replaces one that works', async () => {
    host
      .fact('file:keepalived.conf', 'old')
      .answer('--config-test', { exitCode: 5, stdout: "Unknown keyword 'lvs_shed'" });
    await expect(apply()).rejects.toMatchObject({ code: 'KW462', output: "Unknown keyword 'lvs_shed'" });
    expect(host.files.size).toBe(0);
    expect(host.durables).toEqual([]);
  });

  test('reloads, which keeps the table and its connections', async () => {
    host.fact('file:keepalived.conf', 'old').fact('loaded', 'old');
    await apply();
    expect(host.files.get(CONFIG)).toContain('virtual_server 10.88.0.100 6443');
    expect(host.durables[0]?.script).toContain('systemctl reload-or-restart keepalived');
  });

  test('lets systemd know a drop-in that is new, and touches nothing that runs', async () => {
    host.fact('file:10-kubewright.conf', 'old');
    await apply();
    expect(host.scripts.map(({ script }) => script)).toContain('systemctl daemon-reload');
    expect(host.durables).toEqual([]);
  });

  test('that does not come up is KW463 with what it said; another failure stays what it is', async () => {
    host.fact('active', 'failed');
    host.durableResult = { exitCode: 1, result: 'exit-code', output: 'no ip_vs' };
    await expect(apply()).rejects.toMatchObject({ code: 'KW463', host: 'lb-1', output: 'no ip_vs' });
    host.remote.runDurable = async () => Promise.reject(new KubewrightError('KW425', 'gone', { transient: true }));
    await expect(apply()).rejects.toMatchObject({ code: 'KW425', transient: true });
  });

  test('of whose running program nothing is known is asked again: a restart gives the virtual IP away', async () => {
    host.cannotTell('program');
    await expect(configureDirector.probe(context)).rejects.toMatchObject({ code: 'KW433', transient: true });
  });

  test('whose address no card carries is named', async () => {
    host.facts.delete('interface');
    await expect(configureDirector.probe(context)).rejects.toMatchObject({ code: 'KW461', host: 'lb-1' });
  });
});

describe('a control plane', () => {
  const contextOf = () => contextAmong(hosts, cluster, 'configureRealServer', 'cp-2');
  const own = () => realServerFiles(contextOf());
  let host: FakeHost;

  beforeEach(() => {
    host = hostIn(hosts, 'cp-2').fact('active', 'active').fact('enabled', 'enabled');
    for (const { path, content } of own()) host.fact(`file:${basename(path)}`, digestOf(content));
    host.fact(
      'loaded',
      `${digestOf(
        own()
          .map(({ content }) => content)
          .join(''),
      )}  -`,
    );
  });

  test('is done when the service runs with exactly this script and unit', async () => {
    expect(await configureRealServer.probe(contextOf())).toMatchObject({ done: true, changes: [] });
  });

  test.each([
    ['active', 'inactive', 'start kubewright-real-server'],
    ['enabled', 'disabled', 'start kubewright-real-server at boot'],
    ['loaded', 'old', 'restart kubewright-real-server'],
  ])('not when %s is %s', async (fact, value, change) => {
    host.fact(fact, value);
    expect(await configureRealServer.probe(contextOf())).toMatchObject({ done: false, changes: [change] });
  });

  test('gets a script that runs, and no address: that comes with its API server', async () => {
    host.facts.clear();
    await configureRealServer.apply(contextOf(), await configureRealServer.probe(contextOf()));
    expect([...host.files.keys()]).toEqual([
      '/usr/local/lib/kubewright/real-server',
      '/etc/systemd/system/kubewright-real-server.service',
    ]);
    expect(host.log).not.toContain('ip address add');
    expect(host.durables[0]?.script).toContain('systemctl restart kubewright-real-server');
  });
});

describe('in a real bash', () => {
  const signal = new AbortController().signal;
  let bash: BashHosts;

  /** systemd keeps what was enabled and started in files; what a unit reads is recorded as its drop-in would. */
  const SYSTEMCTL = `echo "$*" >>"$SHARED/calls"
run=$SHARED/$HOST/run/kubewright-loaded; mkdir -p "$run"
case "$*" in
  'is-active '*) [ -e "$run/$2.active" ] && echo active || { echo inactive; exit 3; } ;;
  'is-enabled '*) [ -e "$run/$2.enabled" ] && echo enabled || { echo disabled; exit 1; } ;;
  'enable --quiet '*) : >"$run/$3.enabled" ;;
  'reload-or-restart '*|'restart '*) : >"$run/$2.active"
    [ "$2" != keepalived ] || sha256sum <"$SHARED/$HOST/etc/keepalived/keepalived.conf" >"$run/keepalived.sha256" ;;
  'show -p MainPID --value keepalived.service') echo 0 ;;
esac`;

  beforeEach(() => {
    bash = new BashHosts(cluster);
    bash.program('systemctl', SYSTEMCTL);
    bash.program('journalctl', ':');
    bash.program('ip', "echo '2: eth0    inet 10.88.0.71/24 scope global eth0'");
    bash.program('keepalived', '[ "$1" = --config-test ] && grep -q "^virtual_server" "$(cut -d= -f2 <<<"$2")"');
    return () => bash.remove();
  });

  test('a blank director is configured once, and then there is nothing to do', async () => {
    const context = bash.context('configureDirector', 'lb-1', signal);
    const found = await configureDirector.probe(context);
    expect(found.changes).toContain('start keepalived');
    await configureDirector.apply(context, found);
    expect(bash.read('lb-1', CONFIG)).toBe(configIn(files));
    expect(await configureDirector.probe(context)).toMatchObject({ done: true, changes: [] });
    expect(bash.shared('calls')).toContain('enable --quiet keepalived');
  });

  test('a program that refuses the configuration leaves the host as it was', async () => {
    bash.program('keepalived', 'echo "Unknown keyword"; exit 5');
    const context = bash.context('configureDirector', 'lb-1', signal);
    const applied = configureDirector.apply(context, await configureDirector.probe(context));
    await expect(applied).rejects.toMatchObject({ code: 'KW462', output: 'Unknown keyword' });
    expect(bash.read('lb-1', CONFIG)).toBeUndefined();
  });
});
