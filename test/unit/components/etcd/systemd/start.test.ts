import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClusterHost } from '../../../../../src/cluster/types.js';
import { renderUnit } from '../../../../../src/components/etcd/systemd/render/unit.js';
import { startEtcdService } from '../../../../../src/components/etcd/systemd/steps/startEtcdService.js';
import { BashHosts } from '../../../activities/bash-hosts.js';
import { systemdCluster } from './fixture.js';

/** The step in a real bash. */
const cluster = systemdCluster();
const NOTHING = { done: false, found: '', changes: [] };
const DATA = 'var/lib/etcd-member';
const UNIT = 'etc/systemd/system/kubewright-etcd.service';

let hosts: BashHosts;

beforeEach(() => {
  hosts = new BashHosts(cluster);
  hosts.write('cp-3', 'etc/kubewright/pki/etcd/ca.crt', 'the CA');
  hosts.write('cp-3', 'etc/kubewright/patches/mine.yaml', 'kept');
  const note = 'echo "$HOST $(basename "$0") $*" >>"$SHARED/calls"';
  const came = 's|^a9, .*|a9, started, cp-3, https://10.88.0.13:2380, https://10.88.0.13:2379, false|';
  hosts.program(
    'etcdctl',
    `[ -e "$SHARED/members" ] || exit 1
case "$*" in
  *'member list'*) cat "$SHARED/members" ;;
  *'member add'*) echo 'a9, unstarted, , https://10.88.0.13:2380, , true' >>"$SHARED/members" ;;
esac`,
  );
  hosts.program(
    'systemctl',
    `case $1 in
  is-active) cat "$SHARED/active" 2>/dev/null || { echo inactive; exit 3; } ;;
  --quiet) [ -e "$SHARED/active" ] ;;
  show) echo 0 ;;
  is-enabled) ;;
  start) ${note}; echo active >"$SHARED/active"; [ ! -e "$SHARED/members" ] || sed -i '${came}' "$SHARED/members" ;;
  stop) ${note}; rm -f "$SHARED/active" ;;
  *) ${note} ;;
esac`,
  );
  hosts.program('install', `${note}; mkdir -p "\${@: -1}"`);
  hosts.program('chown', note);
  hosts.program('kubectl', 'exit 1');
});
afterEach(() => hosts.remove());

const context = () => hosts.context('startEtcdService', 'cp-3', new AbortController().signal, () => undefined);
const apply = () => startEtcdService.apply(context(), NOTHING);
const calls = () =>
  hosts
    .shared('calls')
    .split('\n')
    .filter((call) => call.startsWith('cp-3 '))
    .map((call) => call.slice('cp-3 '.length).replaceAll(`${hosts.root}/cp-3`, ''));
const living = () =>
  writeFileSync(
    join(hosts.root, 'members'),
    [1, 2]
      .map((n) => `a${n}, started, cp-${n}, https://10.88.0.1${n}:2380, https://10.88.0.1${n}:2379, false\n`)
      .join(''),
  );

describe('a member', () => {
  test('begins with the others of a new cluster', async () => {
    await apply();
    expect(hosts.read('cp-3', 'etc/kubewright/etcd.env')).toContain(
      'ETCD_INITIAL_CLUSTER=cp-1=https://10.88.0.11:2380,cp-2=https://10.88.0.12:2380,cp-3=https://10.88.0.13:2380\nETCD_INITIAL_CLUSTER_STATE=new\n',
    );
    expect(calls()).toEqual([
      'systemctl daemon-reload',
      'systemctl stop kubewright-etcd.service',
      'install -d -m 0700 -o etcd -g etcd /var/lib/etcd-member',
      'systemctl enable --quiet kubewright-etcd.service',
      'systemctl start --no-block kubewright-etcd.service',
    ]);
    expect(hosts.read('cp-3', 'etc/kubewright/patches/mine.yaml')).toBe('kept');
  });

  test('joins a living cluster as one that was announced, and is made a voter', async () => {
    living();
    await apply();
    expect(hosts.read('cp-3', 'etc/kubewright/etcd.env')).toContain('ETCD_INITIAL_CLUSTER_STATE=existing\n');
    expect(hosts.read('cp-3', 'var/lib/kubewright/etcd-member')).toBe('a9');
  });

  test('that the cluster has put out has its data moved aside, and keeps it', async () => {
    living();
    hosts.write('cp-3', `${DATA}/member/wal`, 'old');
    await apply();
    const [kept = ''] = readdirSync(join(hosts.root, 'cp-3', DATA));
    expect(kept).toMatch(/^member\.removed-\d{8}T\d{6}Z$/);
    expect(readFileSync(join(hosts.root, 'cp-3', DATA, kept, 'wal'), 'utf8')).toBe('old');
  });

  test('is not begun where its directory holds what is not of etcd: that would become etcd’s', async () => {
    hosts.write('cp-3', `${DATA}/photos/cat.jpg`, 'a cat');
    hosts.write('cp-3', `${DATA}/lost+found/1`, '');
    await expect(apply()).rejects.toMatchObject({
      code: 'KW478',
      host: 'cp-3',
      message: expect.stringContaining('photos'),
    });
    expect(calls()).toEqual([]);
    expect(existsSync(join(hosts.root, 'cp-3', UNIT))).toBe(false);
  });
});

describe('a member counts as there', () => {
  const found = async () => (await startEtcdService.probe(context())).found;

  test('not without its unit, and not while the process is not of it', async () => {
    expect(await found()).toContain('kubewright-etcd.service is not as it should be');
    await apply();
    // What the script writes has the paths of this test in it.
    hosts.write('cp-3', UNIT, renderUnit(cluster, cluster.hosts[2] as ClusterHost));
    expect(await found()).toContain('runs another etcd');
    hosts.program('systemctl', '[ "$1" != is-enabled ] || exit 1; echo inactive; exit 3');
    expect(await found()).toMatch(/does not start at boot; kubewright-etcd.service does not run/);
  });
});
