import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startEtcdMember } from '../../../../src/components/etcd/static-pods/steps/startEtcdMember.js';
import { BashHosts } from '../../activities/bash-hosts.js';
import { clusterOf } from '../../cluster-fixture.js';

/** The step in a real bash, on a host with data of a member that the living cluster has put out. */
const cluster = clusterOf({ controlPlanes: 1, workers: 0, etcd: 3 });
const NOTHING = { done: false, found: '', changes: [] };

let hosts: BashHosts;

beforeEach(() => {
  hosts = new BashHosts(cluster);
  hosts.write('etcd-3', 'var/lib/etcd/member/wal', 'old');
  hosts.write('etcd-3', 'etc/kubernetes/manifests/etcd.yaml', 'old');
  writeFileSync(
    join(hosts.root, 'members'),
    [1, 2]
      .map((n) => `a${n}, started, etcd-${n}, https://10.88.0.3${n}:2380, https://10.88.0.3${n}:2379, false\n`)
      .join(''),
  );
  const note = 'echo "$(basename "$0") $*" >>"$SHARED/calls"';
  const came = 's|^a9, .*|a9, started, etcd-3, https://10.88.0.33:2380, https://10.88.0.33:2379, false|';
  hosts.program(
    'etcdctl',
    `case "$*" in
  *'member list'*) [ ! -e "$SHARED/silent" ] || [ $HOST != etcd-3 ] || exit 1; cat "$SHARED/members" ;;
  *'member add'*) echo 'a9, unstarted, , https://10.88.0.33:2380, , true' >>"$SHARED/members" ;;
esac`,
  );
  hosts.program('systemctl', `${note}\n[ "$1" != is-active ] || { echo inactive; exit 3; }`);
  hosts.program(
    'crictl',
    `${note}\ncase $1 in
  ps) [ ! -e "$SHARED/deaf" ] || exit 1; echo c0ffee ;;
  images) echo '{"images": []}' ;;
  stop) [ -e ${hosts.root}/etcd-3/var/lib/etcd/member/wal ] || echo 'crictl moved before' >>"$SHARED/calls" ;;
esac`,
  );
  hosts.program('kubeadm', `${note}\nsed -i '${came}' "$SHARED/members"`);
});
afterEach(() => hosts.remove());

const apply = () =>
  startEtcdMember.apply(
    hosts.context('startEtcdMember', 'etcd-3', new AbortController().signal, () => undefined),
    NOTHING,
  );
const data = () => readdirSync(join(hosts.root, 'etcd-3/var/lib/etcd'));
const calls = () =>
  hosts
    .shared('calls')
    .split('\n')
    .filter((call) => /^(systemctl (stop|restart)|crictl|kubeadm)/.test(call) && !/images/.test(call));

describe('data of a member that the cluster has put out', () => {
  test('is moved aside within its directory when nothing runs with it any more, and kept', async () => {
    await apply();
    expect(data()).toEqual([expect.stringMatching(/^member\.removed-\d{8}T\d{6}Z$/)]);
    expect(readFileSync(join(hosts.root, 'etcd-3/var/lib/etcd', data()[0] ?? '', 'wal'), 'utf8')).toBe('old');
    expect(calls()).toEqual([
      'systemctl stop kubelet',
      'crictl ps -q --name ^etcd$',
      'crictl stop --timeout=30 c0ffee',
      'systemctl restart kubelet',
      expect.stringMatching(/^kubeadm init phase etcd local /),
    ]);
  });

  test.each([
    ['etcd does not tell that the host is a learner', 'silent', []],
    ['the runtime does not tell whether etcd still runs', 'deaf', ['systemctl stop kubelet', expect.any(String)]],
  ])('stays where it is while %s', async (_, fault, made) => {
    writeFileSync(join(hosts.root, fault), '');
    await expect(apply()).rejects.toMatchObject({ code: 'KW431' });
    expect(data()).toEqual(['member']);
    expect(calls()).toEqual(made);
  });
});
