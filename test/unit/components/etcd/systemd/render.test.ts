import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { ClusterHost } from '../../../../../src/cluster/types.js';
import { renderEtcdMember } from '../../../../../src/components/etcd/external/render/member.js';
import { renderEnvironment, renderUnit } from '../../../../../src/components/etcd/systemd/render/unit.js';
import { renderInitConfig } from '../../../../../src/render/kubeadm.js';
import { notRunHere } from '../../../not-run.js';
import { expectGolden } from '../../../render/golden.js';
import { systemdCluster } from './fixture.js';

const cluster = systemdCluster();
const [first, second, third] = cluster.hosts as [ClusterHost, ClusterHost, ClusterHost];

/** Words of the unit's command line as systemd-analyze, which has systemd's own parser, tells of faults in them. */
function faultsOf(unit: string): string {
  const root = mkdtempSync(join(tmpdir(), 'kubewright-unit-'));
  const path = join(root, 'kubewright-etcd.service');
  writeFileSync(path, unit.replaceAll('/usr/local/bin/etcd', '/bin/true'));
  try {
    // It warns of a key that it does not know, and is content all the same.
    return spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' }).stderr;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

describe('the unit of a member', () => {
  test('is this', () => {
    expectGolden('kubewright-etcd.service', renderUnit(cluster, second));
  });

  test('does not change with what a member is begun with', () => {
    const { members } = { members: [first, second, third] };
    expectGolden('etcd.env', renderEnvironment(cluster, { state: 'new', members }));
    expect(renderUnit(cluster, second)).not.toMatch(/initial-cluster(-state|-token)?=/);
    expect(renderEnvironment(cluster, { state: 'existing', members })).toContain(
      'ETCD_INITIAL_CLUSTER_STATE=existing\n',
    );
  });

  test('has a flag of the user in place of its own, and each value as one word', () => {
    const own = systemdCluster();
    own.etcd.extraArgs = [
      { name: 'snapshot-count', value: '5000' },
      { name: 'log-format', value: 'a "b" %n $HOME \\ c' },
    ];
    const unit = renderUnit(own, second);
    expect(unit.match(/--snapshot-count=\S+/g)).toEqual(['--snapshot-count=5000']);
    expect(unit).toContain('"--log-format=a \\"b\\" %%n $$HOME \\\\ c"');
  });

  test('is one that systemd takes', (context) => {
    if (spawnSync('systemd-analyze', ['--version']).error) notRunHere(context, 'systemd-analyze is not there');
    const faults = faultsOf(renderUnit(cluster, second))
      .split('\n')
      .filter(
        (line) => line.includes('kubewright-etcd.service') && /Unknown|Failed to parse|Invalid|ignoring/i.test(line),
      );
    expect(faults).toEqual([]);
  });
});

describe("kubeadm's configuration", () => {
  test('has the members as external etcd, on control planes as well as on hosts of their own', () => {
    const externalOf = (of: typeof cluster) => {
      const text = renderInitConfig(of, of.hosts[0] as ClusterHost);
      const documents = parseAllDocuments(text).map((document) => document.toJS());
      return documents.find(({ kind }) => kind === 'ClusterConfiguration').etcd;
    };
    const files = {
      caFile: '/etc/kubernetes/pki/etcd/ca.crt',
      certFile: '/etc/kubernetes/pki/apiserver-etcd-client.crt',
      keyFile: '/etc/kubernetes/pki/apiserver-etcd-client.key',
    };
    const at = (octets: number[]) => octets.map((octet) => `https://10.88.0.${octet}:2379`);
    expect(externalOf(cluster)).toEqual({ external: { endpoints: at([11, 12, 13]), ...files } });
    expect(externalOf(systemdCluster({ etcd: 3 }))).toEqual({ external: { endpoints: at([31, 32, 33]), ...files } });
  });

  test('of a member names its certificates and for how long they are made', () => {
    const own = systemdCluster({ names: ['etcd.example.org'], days: 90 });
    const [, config] = parseAllDocuments(renderEtcdMember(own, second, { state: 'new', members: [first] }));
    expect(config?.toJS()).toMatchObject({
      certificatesDir: '/etc/kubewright/pki',
      certificateValidityPeriod: '2160h0m0s',
      etcd: {
        local: {
          dataDir: '/var/lib/etcd-member',
          serverCertSANs: ['cp-2', '10.88.0.12', 'etcd.example.org'],
          peerCertSANs: ['cp-2', '10.88.0.12', 'etcd.example.org'],
        },
      },
    });
  });
});
